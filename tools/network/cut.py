"""One site is cut off while it works, and comes back: what is promised about that, held against what happens."""
from decimal import Decimal

from places import wait_member
from speak import say, show, tell
from testbed import expect, expect_equal, until
from wishes import PROJECT, ZHANGJIANG

STEPS = 8
SCRIPT = f"for step in $(seq {STEPS}); do echo step $step; sleep 1; done"
ALLOWED = (("shanghai", "via-national"), ("zhangjiang", "via-shanghai"))


def newest_job(place):
    return place.read("/v1/jobs?limit=1")["jobs"][0]["id"]


def start(network):
    """The job at the top, and what the province and the site call it."""
    country = network.national
    job = country.suan("run", "-d", "-y", "-p", PROJECT, "--site", ZHANGJIANG, "-t", "10m", "--", SCRIPT).strip()
    country.wait_for(job, "running")
    until(lambda: "step 1" in country.suan("logs", job), 20, f"{job} writes")
    names = {"national": job, "shanghai": newest_job(network.shanghai), "zhangjiang": newest_job(network.zhangjiang)}
    say(f"{job} runs at zhangjiang, through shanghai; now the wire between these two is cut")
    return names


def see_it_cut(network, names):
    """What each level says meanwhile."""
    province, site, country = network.shanghai, network.zhangjiang, network.national
    site.link.cut()
    member = until(lambda: (found := province.member("zhangjiang")) and not found["connected"] and found, 30,
                   "the province notices")
    show("suan join list                  # at shanghai, of which it is a member", province.suan("join", "list"))
    tell()
    tell(f"-> shanghai has not been connected to zhangjiang since {member['since'][11:19]} UTC")
    view = country.job(names["national"])
    expect_equal(view["state"], "running", "the state at the top, where nobody knows better")
    expect_equal(len(view["tasks"][0]["attempts"]), 1, "no second attempt was begun")
    refused = country.suan_refused("logs", names["national"])
    show("suan ps                         # at zhangjiang, which is alone and goes on", site.suan("ps"))
    expect_equal(site.job(names["zhangjiang"])["state"], "running", "the state at the site")
    ended = site.wait_for(names["zhangjiang"], seconds=60)
    expect_equal(ended["exit_code"], 0, "the exit code at the site")
    view = country.job(names["national"])
    expect_equal(view["state"], "running", "the state at the top while it cannot know")
    show("suan ps                         # at national, after it has ended at zhangjiang",
         country.suan("ps"))
    show(f"suan logs {names['national']}", refused)
    tell()
    tell("-> the country keeps the money set aside, begins no second attempt,")
    tell("   and says what it cannot know")


def see_it_mended(network, names, spent_before):
    """What comes of it all once the wire is whole."""
    country, site = network.national, network.zhangjiang
    tell()
    say("the wire is mended; the site dials again by itself, after at most 30 s")
    site.link.mend()
    wait_member(site, 60)
    ended = country.wait_for(names["national"], seconds=60)
    expect_equal((ended["state"], ended["exit_code"]), ("finished", 0), "the end at the top")
    attempts = ended["tasks"][0]["attempts"]
    expect_equal(len(attempts), 1, "the attempts that were made")
    say(f"{names['national']} has finished with exit code 0 in one attempt, as national now knows")
    log = country.suan("logs", names["national"])
    expect_equal(log, "".join(f"step {n}\n" for n in range(1, STEPS + 1)), "the log, read from the top")
    show(f"suan logs {names['national']}                # at national, through two levels", log)
    charges = {name: network.places[name].charges(job, 1)[0] for name, job in names.items()}
    expect(len(set(charges.values())) == 1, f"not the same charge on every level: {charges}")
    expect(charges["national"] > 0, "it cost nothing")
    spent = Decimal(country.project(PROJECT)["charged"])
    expect_equal(spent, spent_before + charges["national"], "what the project has spent")
    until(lambda: country.project(PROJECT)["held"] == "0", 20, "nothing is set aside at the top")
    for name, project in ALLOWED:
        def is_returned():
            money = network.places[name].project(project)
            return money["held"] == "0" and money["available"] == "0"
        until(is_returned, 20, f"{name} has given back what {project} did not use: "
                               f"{network.places[name].project(project)}")
    print()
    for name, job in names.items():
        tell(f"{name:<11} charged {charges[name]} CNY, once ({job})")
    tell("-> and what was allotted on the way down and not used has gone back on every level")


def cut_and_mend(network):
    tell()
    spent_before = Decimal(network.national.project(PROJECT)["charged"])
    names = start(network)
    see_it_cut(network, names)
    see_it_mended(network, names, spent_before)
    tell()
