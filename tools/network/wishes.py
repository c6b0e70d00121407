"""Ten jobs with ten wishes, and where each has to land."""
import dataclasses
import json
import pathlib
import shutil
from decimal import Decimal

from places import ROOT
from speak import chosen, price, say, tell
from testbed import expect, expect_equal, until

PROJECT = "demo"
LINGANG, GUIAN, ZHANGJIANG = ("shanghai.lingang.lingang", "guizhou.guian.guian", "shanghai.zhangjiang.zhangjiang")
H800, ASCEND = "H800-SXM", "Ascend910B3"
ROW = "{:>2}  {:<39} {:<11} {:<12} {:>9}  {:>14}"


@dataclasses.dataclass
class Wish:
    """A file of examples/wishes, in words, and what has to come of it."""
    file: str
    words: str
    site: str
    chip: str
    hourly: str
    log: str


AT_ONCE = (
    Wish("01-cheapest", "a core, wherever it costs least", GUIAN, "", "0.08", "on "),
    Wish("02-latency", "three parts, within 5 ms of Shanghai", ZHANGJIANG, "", "0.45", "part 0 of 3"),
    Wish("03-site", "a core, at lingang and nowhere else", LINGANG, "", "0.3", "as asked"),
    Wish("04-chip", "2 Ascend910B3", GUIAN, ASCEND, "30.32", "on 2 of them"),
    Wish("05-first-choice", "2 H800, else 2 Ascend910B3", LINGANG, H800, "65.2", "on 2 of them"),
    Wish("06-within-price", "the same, for at most 40 CNY/h", GUIAN, ASCEND, "30.32", "on 2 of them"),
    Wish("07-either-chip", "1 H800 or 1 Ascend910B3, no matter", GUIAN, ASCEND, "15.16", "on 1 of them"),
    Wish("08-variants", "by CUDA on 1 H800, by CANN on 4 Ascend", LINGANG, H800, "32.6", "by CUDA on 1 card"),
)
GANG = Wish("09-gang", "2 whole nodes of 8 H800, or none", LINGANG, H800, "521.6", "rank 0 of 2")
WAITS = Wish("10-waits", "1 H800, while the gang has them all", "", H800, "", "")


def need_project(network):
    """The country's project, with enough on its account."""
    country = network.national
    if not country.project(PROJECT):
        country.suan("project", "create", PROJECT)
    if Decimal(country.project(PROJECT)["available"]) < 500:
        country.suan("project", "fund", PROJECT, "1000", "--text", "to begin with")
    say(f"{country.name} has the project {PROJECT}, with {country.project(PROJECT)['available']} CNY to spend")


def submit(country, wish, *flags):
    path = ROOT / "examples" / "wishes" / f"{wish.file}.yaml"
    return country.suan("run", "-d", "-y", "-p", PROJECT, *flags, "-f", str(path)).strip()


def check(country, wish, job):
    """Holds what came of a job against its wish; answers the job."""
    view, what = country.job(job), f"{wish.file} ({job})"
    expect_equal((view["state"], view["exit_code"]), ("finished", 0), f"the end of {what}, {view['reason']!r}")
    expect_equal(view["pool"].split("/")[0], wish.site, f"where {what} ran")
    expect_equal(view["chip"], wish.chip, f"the chip of {what}")
    expect_equal(Decimal(view["hourly_cost"]), Decimal(wish.hourly), f"the price of {what}")
    log = country.suan("logs", job)
    expect(wish.log in log, f"{what} wrote {log!r}, and not {wish.log!r}")
    charges = country.charges(job, len(view["tasks"]))
    expect_equal(sum(charges), Decimal(view["cost"]), f"the charges of {what}")
    expect(Decimal(view["cost"]) > 0, f"{what} cost nothing")
    return view


def reasons(country, job):
    """Why it is where it is, in a line: instead of what, and what was turned down."""
    why = json.loads(country.suan("why", job, "-o", "json"))
    others, seen = [], {chosen(why["chosen"]["pool"])}
    for each in why["alternatives"]:
        if chosen(each["pool"]) not in seen:
            seen.add(chosen(each["pool"]))
            others.append(f"{chosen(each['pool'])} at {price(each['hourly_cost'])}")
    parts = [f"instead of {', '.join(others)} CNY/h"] if others else []
    return why, "; ".join(parts + ([turned_down(why)] if why["rejected"] else []))


def turned_down(why):
    """Each reason against pools, with their number."""
    return "turned down " + ", ".join(f"{' ('.join(each['text'].split(': ', 1))})" for each in why["rejected"])


def print_row(number, wish, view):
    print(ROW.format(number, wish.words, chosen(view["pool"]), view["chip"] or "cores",
                     price(view["hourly_cost"]), price(view["cost"])))


def run_those_at_once(network):
    country = network.national
    jobs = [submit(country, wish) for wish in AT_ONCE]
    print(ROW.format("", "WISH", "LANDED AT", "CHIP", "CNY/h", "COST, CNY"))
    for number, (wish, job) in enumerate(zip(AT_ONCE, jobs), 1):
        country.wait_for(job, seconds=90)
        print_row(number, wish, check(country, wish, job))
        print(f"      {reasons(country, job)[1]}")


def run_gang(network):
    """Two nodes that start together, and a job that has to wait for them meanwhile."""
    country, meeting = network.national, pathlib.Path(network.directory) / "meeting"
    shutil.rmtree(meeting, ignore_errors=True)
    meeting.mkdir(mode=0o700)
    gang = submit(country, GANG, "-e", f"MEETING={meeting}")
    until(lambda: len(list(meeting.glob("[01]"))) == 2, 90, f"both nodes of {gang} have begun")
    waits = submit(country, WAITS)
    why = until(lambda: why_it_waits(country, waits), 20, f"{waits} waits, and why")
    country.suan("stop", waits)
    until(lambda: country.job(waits)["state"] == "cancelled", 20, f"{waits} is stopped")
    nodes = sorted((meeting / str(rank)).read_text().strip() for rank in range(2))
    expect_equal(nodes, ["g1", "g2"], f"the nodes of {gang}")
    (meeting / "go").touch()
    country.wait_for(gang, seconds=90)
    print_row(9, GANG, check(country, GANG, gang))
    print(f"      on {' and '.join(nodes)}; {reasons(country, gang)[1]}")
    view = country.job(waits)
    expect_equal(Decimal(view["cost"]), 0, f"what {waits} cost, which never ran")
    print(ROW.format(10, WAITS.words, "nowhere", "-", "-", "0.00"))
    print(f"      {turned_down(why)}")
    print(f"      it would start {why['changes'][0]['text']}; stopped")


# Why a job waits, once it does, with the change that would help: the other chip.
def why_it_waits(country, job):
    why, _ = reasons(country, job)
    busy = any(each["reason"] == "cards_busy" for each in why["rejected"])
    helps = any(each["to"] == f"{ASCEND}:1" for each in why["changes"])
    return why if why["state"] == "queued" and busy and helps else None


def check_account(network):
    """What was set aside is back, and the account shows what the jobs cost together."""
    country = network.national
    project = country.project(PROJECT)
    expect_equal(project["held"], "0", "what is still set aside")

    def total():
        return json.loads(country.suan("cost", "-p", PROJECT, "-o", "json"))["total"]
    until(lambda: Decimal(total()) == Decimal(project["charged"]), 20,
          f"the charges of {PROJECT} are the {project['charged']} CNY that it has spent")
    tell()
    say(f"all ten are where they should be; nothing is set aside any more, {price(project['charged'])} CNY spent")


def run_wishes(network):
    say(f"ten jobs with ten wishes, submitted at {network.national.name}: suan run -f examples/wishes/….yaml")
    tell()
    run_those_at_once(network)
    run_gang(network)
    check_account(network)
