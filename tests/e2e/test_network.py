#!/usr/bin/env python3
"""Three levels of domains, each a real server: joining, running through them, cuts and kills."""
import os
import signal
import subprocess
import time
from decimal import Decimal

import testbed
from network import Link, Node, expect_settled, join, make_stores, money_of, three_levels
from test_slurm import slurm, write_site
from test_tls import Authority
from testbed import SUAN, expect, expect_equal, until


def suan(server, *words, wanted=0, **rest):
    env = {**os.environ, "SUAN_URL": server.url, "SUAN_KEY": server.key, "NO_COLOR": "1"}
    done = subprocess.run([SUAN, *words], env=env, text=True, capture_output=True, timeout=120, **rest)
    expect_equal(done.returncode, wanted, f"suan {' '.join(words)}: {done.stdout} {done.stderr}")
    return done


def test_joining_takes_a_token_and_an_approval(directory):
    top = Node(directory, "top", engine=False).start()
    site = Node(directory, "site", top).start()
    until(lambda: "token" in site.server.complaint(), 10, "it says that it needs a token")
    expect(top.member("site") is None, "nobody is asked without a token")
    site.server.stop()
    token = top.make_token()
    site.start(token)
    until(lambda: top.member("site"), 10, "it has asked")
    expect_equal(top.member("site")["state"], "asked", "its state")
    until(lambda: "suan join approve site" in site.server.complaint(), 10, "it says what it waits for")
    expect_equal(top.server.read("/v1/pools")["pools"], [], "pools before the approval")
    listed = suan(top.server, "join", "list").stdout
    expect("asked" in listed and "site" in listed, listed)
    suan(top.server, "join", "approve", "site")
    top.wait_member("site")
    thief = Node(directory, "thief", top).start(token)
    until(lambda: "parent http" in thief.server.complaint(), 10, "a token is good for once")
    expect(top.member("thief") is None, "a token was used twice")
    # Known by its key from now on.
    site.server.kill()
    until(lambda: not top.member("site")["connected"], 10, "it is gone")
    site.restart()
    top.wait_member("site")
    suan(top.server, "join", "refuse", "site")
    until(lambda: not top.member("site")["connected"], 10, "it was refused")
    expect(all(p["pool"]["state"] == "closed" for p in top.server.read("/v1/pools")["pools"]), "its pools")


def test_a_circle_is_refused(directory):
    one = Node(directory, "one").start()
    two = join(Node(directory, "two", one))
    back = Node(directory, "one", two)
    one.server.stop()
    one.link = back.link
    one.start(two.make_token())
    two.approve("one")
    until(lambda: "circle" in one.server.complaint() + two.server.complaint(), 30, "a circle is noticed")


def test_a_job_through_three_levels(directory):
    country, province, site = three_levels(directory)
    run = "echo here $SUAN_JOB_ID $(( 6 * 7 )); for i in 1 2 3; do echo line $i; sleep 0.2; done; exit 3"
    job = country.server.submit(run, name="deep", max_duration="10m")
    ended = country.server.wait_for(job)
    expect_equal(ended["state"], "failed", "its state")
    expect_equal(ended["exit_code"], 3, "its exit code")
    log = suan(country.server, "logs", job).stdout
    expect(log.startswith("here ") and log.endswith("42\nline 1\nline 2\nline 3\n"), log)
    expect(Decimal(ended["cost"]) > 0, f"its cost: {ended['cost']}")
    why = suan(country.server, "why", job).stdout
    expect("site" in why, why)
    expect_settled(country, province, site)
    charged = {node.name: Decimal(money_of(node.server, project)["charged"])
               for node, project in ((country, "lab"), (province, "via-country"), (site, "via-province"))}
    expect(len(set(charged.values())) == 1, f"the same charge on all levels: {charged}")


def test_logs_and_shells_from_the_top(directory):
    country, _, _ = three_levels(directory)
    job = country.server.submit("echo begin; until [ -e stop ]; do sleep 0.05; done; seq 200000", max_duration="10m")
    country.server.wait_for(job, "running")
    follower = subprocess.Popen([SUAN, "logs", "-f", job], stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "SUAN_URL": country.server.url, "SUAN_KEY": country.server.key})
    expect_equal(follower.stdout.readline(), "begin\n", "the log as it comes")
    done = suan(country.server, "exec", job, "--", "cat; exit 7", wanted=7, input="x" * 1_000_000)
    expect_equal(len(done.stdout), 1_000_000, "a megabyte there and back")
    suan(country.server, "exec", job, "--", "touch stop")
    rest = follower.communicate(timeout=60)[0]
    expect(rest == "".join(f"{n}\n" for n in range(1, 200_001)), f"all of the log: {rest[:30]!r} ({len(rest)})")
    again = suan(country.server, "logs", job).stdout
    expect(again == "begin\n" + rest, f"all of it again: {again[:30]!r} ({len(again)})")


def test_a_job_goes_on_while_cut(directory):
    country, province, site = three_levels(directory)
    short = country.server.submit("sleep 1; echo over", max_duration="10m")
    long = country.server.submit("sleep 6; echo late", max_duration="10m")
    for job in (short, long):
        country.server.wait_for(job, "running")
    site.link.cut()
    until(lambda: not province.member("site")["connected"], 10, "the cut is noticed")
    stopped = country.server.submit("sleep 300", max_duration="10m")
    time.sleep(3)
    expect_equal(country.server.job(stopped)["state"], "queued", "new work while nobody can take it")
    # The country itself is connected to the province; it knows all the same what waits for whom.
    why = country.server.read(f"/v1/jobs/{stopped}/why")
    expect_equal([(each["reason"], each["count"]) for each in why["rejected"]], [("member_unreachable", 1)], f"{why}")
    found = suan(country.server, "find", "--cpus", "1").stdout
    expect("cannot be reached" in found, found)
    expect_equal(country.server.job(short)["state"], "running", "what is not known to have ended")
    suan(country.server, "logs", short, wanted=3)
    site.link.mend()
    province.wait_member("site", 40)
    expect_equal(country.server.wait_for(short, seconds=40)["exit_code"], 0, "what ended while cut")
    expect_equal(country.server.wait_for(long, seconds=40)["exit_code"], 0, "what ran on")
    expect_equal(suan(country.server, "logs", long).stdout, "late\n", "its log")
    country.server.wait_for(stopped, "running", seconds=40)
    suan(country.server, "stop", stopped)
    country.server.wait_for(stopped)
    expect_settled(country, province, site)


def alive_times(file):
    """When each attempt said that it was alive."""
    times = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        attempt, moment = line.split()
        times.setdefault(attempt, []).append(float(moment))
    return times


def submit_watched(country, file, **spec):
    """A job that says every tenth of a second which attempt of it is alive; to be replaced where it is cut off."""
    run = f"until [ -e {file}.stop ]; do echo $PPID.$$ $EPOCHREALTIME >> {file}; sleep 0.1; done"
    return country.server.submit(run, max_duration="10m", resources={"cpus": 1},
                                 partition={"lost_after": "10s", "replace": True}, **spec)


def expect_replaced(country, job, file):
    """A second attempt ran, and only after the first had stopped; when each was alive."""
    until(lambda: len(alive_times(file)) == 2, 120, f"{job} is started again")
    country.server.wait_for(job, "running")
    file.with_name(file.name + ".stop").touch()
    ended = country.server.wait_for(job, seconds=30)
    expect_equal((ended["state"], ended["exit_code"]), ("finished", 0), f"{job}: {ended}")
    first, second = sorted(alive_times(file).values())
    expect(max(first) < min(second), f"the first attempt lived until {max(first)}, the second from {min(second)}")
    return first, second


def test_work_is_replaced_where_it_is_cut_off(directory):
    """One job at a site that is cut off from the country, one at a site cut off from its province."""
    country, province, site = three_levels(directory, site_flags=("--price", "0.1", "--cores", "1"))
    east = join(Node(directory, "east", country, flags=("--price", "0.11", "--cores", "1")))
    west = join(Node(directory, "west", country, flags=("--price", "0.2", "--cores", "2")))
    files = [directory / "below.log", directory / "beside.log"]
    jobs = []
    for file in files:
        jobs.append(submit_watched(country, file))
        until(lambda: alive_times(file), 30, "it runs")
    site.link.cut()
    east.link.cut()
    cut = time.time()
    lives = [expect_replaced(country, job, file) for job, file in zip(jobs, files)]
    firsts = [first for first, _ in lives]
    print("    after the cuts", ", ".join(f"{max(first) - cut:.1f} s to the last sign of the first attempt and "
                                          f"{min(second) - cut:.1f} s to the second" for first, second in lives))
    before = [Decimal(country.server.job(job)["cost"]) for job in jobs]
    expect_equal(len(country.server.read("/v1/costs")["charges"]), 2, "charges while the first are not told of")
    site.link.mend()
    east.link.mend()
    until(lambda: len(country.server.read("/v1/costs")["charges"]) == 4, 60, "the first attempts are charged")
    for job, first, was, price in zip(jobs, firsts, before, (Decimal("0.1"), Decimal("0.11"))):
        late = Decimal(country.server.job(job)["cost"]) - was
        alive = Decimal(max(first) - min(first))
        expect(alive * price / 3600 <= late <= (alive + 35) * price / 3600, f"{late} CNY for {alive:.1f} s at {price}/h")
    expect_settled(country, province, site, east, west)


def test_kill_any_of_them(directory):
    country, province, site = three_levels(directory)
    marks = os.path.join(str(directory), "marks")
    nodes = [country, province, site]
    jobs = []
    for turn in range(6):
        for _ in range(3):
            number = len(jobs)
            jobs.append(country.server.submit(f"echo $SUAN_TASK >> {marks}.{number}; sleep 1", max_duration="10m"))
        time.sleep(0.4 + 0.3 * turn)
        victim = nodes[turn % 3]
        victim.server.kill()
        time.sleep(0.3)
        victim.restart()
    for number, job in enumerate(jobs):
        ended = country.server.wait_for(job, seconds=120)
        expect_equal(ended["exit_code"], 0, f"{job}: {ended}")
        with open(f"{marks}.{number}") as file:
            expect_equal(len(file.readlines()), 1, f"how often {job} ran")
    expect_settled(country, province, site)


def test_kill_slurmctld_and_its_site_below_a_network(directory):
    with slurm(directory) as here:
        country, province, site = three_levels(directory, site_file=write_site(directory, here))
        marks = directory / "marks"
        marks.mkdir()
        os.chmod(marks, 0o777)

        def submit(number):
            return country.server.submit(f"echo ran >> {marks}/{number}; sleep 2; exit {number}", max_duration="10m")
        jobs = [submit(number) for number in range(4)]
        until(lambda: any(marks.iterdir()), 40, "the first runs")
        here.kill_controller()
        jobs += [submit(number) for number in range(4, 7)]
        site.server.kill()
        time.sleep(2)
        site.restart()
        time.sleep(2)
        here.start_controller()
        jobs += [submit(number) for number in range(7, 9)]

        def are_over():
            # A slurmctld that had not noted a start drains the node: "Duplicate jobid". An operator resumes it.
            subprocess.run(["scontrol", "update", "nodename=n1,n2,n3", "state=resume"], env=here.environment,
                           capture_output=True, check=False)
            return all(country.server.job(job)["state"] in testbed.ENDED for job in jobs)
        until(are_over, 200, "all jobs end", pause=3)
        for number, job in enumerate(jobs):
            ended = country.server.job(job)
            expect_equal(ended["exit_code"], number, f"{job}: {ended}")
            expect_equal((marks / str(number)).read_text(), "ran\n", f"how often {job} ran")
        expect_settled(country, province, site)


def test_a_gang_over_several_members(directory):
    """Each of two sites, one of them two levels down, has room for half of it."""
    country, province, site = three_levels(directory, site_flags=("--price", "0.1", "--cores", "1"))
    east = join(Node(directory, "east", country, flags=("--price", "0.2", "--cores", "1")))
    spec = directory / "gang.yaml"
    spec.write_text("""
project: lab
num_nodes: 2
resources: {cpus: 1, topology: {preferred: site}}
max_duration: 10m
run: |
  echo rank $SUAN_NODE_RANK of $SUAN_NUM_NODES
  until [ -e stop ]; do sleep 0.05; done
  exit $(cat stop)
""")
    plan = suan(country.server, "plan", "-f", str(spec)).stdout
    expect("starts now at province.site.site/local and east.east/local for 0.3 CNY/h" in plan, plan)
    job = suan(country.server, "run", "-y", "-d", "-f", str(spec)).stdout.strip()
    country.server.wait_for(job, "running")

    def attempts():
        return [task["attempts"][-1] for task in country.server.job(job)["tasks"]]
    until(lambda: all(each["state"] == "running" for each in attempts()), 20, "both parts run")
    expect_equal(sorted(each["pool"] for each in attempts()), ["east.east/local", "province.site.site/local"], "where")
    for rank in (0, 1):
        until(lambda: suan(country.server, "logs", job, "--task", str(rank)).stdout == f"rank {rank} of 2\n", 20,
              f"the log of rank {rank}")
    # A second one waits whole, although nobody holds the cores that it would need but the first.
    second = suan(country.server, "run", "-y", "-d", "-f", str(spec)).stdout.strip()
    expect_equal(country.server.job(second)["state"], "queued", "the second")
    # One goes wrong: both end, and the second gang starts on what both held.
    suan(country.server, "exec", job, "--", "echo 7 > stop")
    ended = country.server.wait_for(job)
    expect_equal((ended["state"], ended["exit_code"]), ("failed", 7), f"the first: {ended['reason']}")
    expect_equal([each["end"] for each in attempts()], ["exited", "cancelled"], "how its parts ended")
    job = second
    until(lambda: all(each["state"] == "running" for each in attempts()), 30, "both parts of the second run")
    # A cut does not mind it; both ends are told when it is over.
    east.link.cut()
    until(lambda: not country.member("east")["connected"], 10, "the cut is noticed")
    for name in (site, east):
        for place in (name.server.state / "engine/attempts").glob("*/work"):
            (place / "stop").write_text("0\n")
    until(lambda: attempts()[0]["state"] == "ended", 20, "one has ended")
    expect_equal(country.server.job(job)["state"], "running", "of the other nobody knows")
    east.link.mend()
    ended = country.server.wait_for(job, seconds=60)
    expect_equal((ended["state"], ended["exit_code"]), ("finished", 0), f"the second: {ended['reason']}")
    near = directory / "near.yaml"
    near.write_text(spec.read_text().replace("preferred: site", "required: site"))
    refused = suan(country.server, "plan", "-f", str(near)).stdout
    expect("no one site has so many for it" in refused, refused)
    spec.with_name("many.yaml").write_text(spec.read_text().replace("num_nodes: 2", "num_nodes: 3"))
    many = suan(country.server, "run", "-y", "-d", "-f", str(spec.with_name("many.yaml")), wanted=3).stderr
    expect("it has 3 nodes, and there are 2 for it" in many, many)
    # Without room for both, neither starts.
    blocker = east.server
    blocker.make_project("own")
    held = blocker.submit("sleep 300", project="own", max_duration="10m", resources={"cpus": 1})
    blocker.wait_for(held, "running")
    third = suan(country.server, "run", "-y", "-d", "-f", str(spec)).stdout.strip()
    time.sleep(3)
    expect_equal(country.server.job(third)["state"], "queued", "the third, of which half has room")
    why = country.server.read(f"/v1/jobs/{third}/why")
    expect("its 2 nodes do not all fit at once" in why["text"], f"why: {why['text']}")
    expect_equal(len(list((site.server.state / "engine/attempts").glob("*/work"))), 0, "what runs of it")
    suan(country.server, "stop", third)
    blocker.change("POST", f"/v1/jobs/{held}/cancel")
    expect_settled(country, province, site, east)


def test_two_parents_at_once(directory):
    disk, stores = make_stores(directory)
    one, two = (Node(directory, name, engine=False).start() for name in ("one", "two"))
    site = Node(directory, "site", one, flags=("--cores", "2", "--stores", str(stores)))
    join(site)
    site.server.stop()
    other = Link(two.server)
    site.base += ["--join", other.url]
    site.start(two.make_token())
    two.approve("site")
    for parent in (one, two):
        parent.wait_member("site")
        parent.server.make_project("lab")
    # Each fills the site, and each of its jobs runs; what one holds the other does not sell.
    keep = {"outputs": {"out": {"to": "bucket:run"}}}
    jobs = [(parent, parent.server.submit(f"echo {parent.name} > out/who; sleep 0.5", max_duration="10m", **keep))
            for _ in range(4) for parent in (one, two)]
    peak = 0

    def are_done():
        nonlocal peak
        running = len(list((site.server.state / "engine/attempts").glob("*/work")))
        peak = max(peak, running)
        return all(parent.server.job(job)["state"] == "finished" for parent, job in jobs)
    until(are_done, 60, "all are done")
    expect(peak >= 1, "some were seen to run")
    for parent in (one, two):
        kept = disk / f"bucket/lab@{parent.name}/run"
        expect_equal(sorted((each / "who").read_text().strip() for each in kept.iterdir()), [parent.name] * 4,
                     f"what the jobs of {parent.name} kept")
        expect_settled(parent)
        name = parent.server.read("/v1/resolve?id=site.site/local")["identifier"]
        expect_equal(name, f"suan:{parent.name}:site/site/local", "what the pool is called there")
        expect_equal(parent.server.read(f"/v1/resolve?id={name}")["identifier"], name, "and known by")
    # One is cut off, the other does not mind.
    other.cut()
    until(lambda: not two.member("site")["connected"], 20, "it is cut off")
    expect_equal(one.server.wait_for(one.server.submit("true", max_duration="1m"))["state"], "finished", "with the other")
    late = two.server.submit("true", max_duration="1m")
    other.mend()
    expect_equal(two.server.wait_for(late, seconds=90)["state"], "finished", "once it is back")


def test_names_are_resolved_from_anywhere(directory):
    country, province, site = three_levels(directory)
    other = join(Node(directory, "other", country))
    pool = "suan:country:province:site/site/local"

    def resolve(node, name, wanted=0):
        return suan(node.server, "resolve", name, wanted=wanted)
    shown = resolve(country, "province.site.site/local").stdout
    expect(shown.startswith(pool + "\n"), f"of a pool as find shows it: {shown}")
    keys = {}
    for node in (country, province, site, other):
        view = node.server.read("/v1/resolve?id=" + pool)
        expect_equal((view["identifier"], view["kind"], view["domain"]),
                     (pool, "pool", "suan:country:province:site"), f"from {node.name}")
        expect_equal(view["pool"]["cpu_milli_per_node"] > 0 and view["site"]["name"], "site", f"from {node.name}")
        keys[node.name] = view["key"]
        expect(0 < view["left"] <= 60, f"how long it holds: {view['left']}")
    expect_equal(len(set(keys.values())), 1, f"signed by one key: {keys}")
    chain = other.server.read("/v1/resolve?id=" + pool)
    expect_equal([(each["parent"], each["child"]) for each in chain["chain"]],
                 [("suan:country", "province"), ("suan:country:province", "site")], "who vouches")
    expect(chain["is_cached"], "it was asked before")
    own = resolve(site, "suan:country:other").stdout
    expect("kind      domain" in own and "vouched   by suan:country for other" in own, own)
    root = site.server.read("/v1/resolve?id=suan:country")
    expect_equal((root["kind"], root["chain"]), ("domain", []), "the root, whose key a domain below it knows")
    for name, words in (("suan:country:nowhere", "no domain nowhere"), ("suan:mars", "no domain"), ("suan:", "write suan:"),
                        (pool + "x", "no such pool"), ("suan:country:province:site/moon", "no such site"),
                        ("province.moon/local", "there is no pool")):
        failed = resolve(other, name, wanted=3).stderr
        expect(words in failed, f"{words!r} in {failed}")
    # What is kept is good while its domain is away; what is not, is not.
    site.server.kill()
    until(lambda: not province.member("site")["connected"], 10, "it is gone")
    kept = resolve(other, pool).stdout
    expect("kept from before" in kept, kept)
    away = resolve(other, "suan:country:province:site", wanted=3).stderr
    expect("cannot be reached" in away, away)


def test_an_uplink_over_https(directory):
    Authority(directory).certify()
    top = Node(directory, "top", engine=False, flags=("--tls-certificate", str(directory / "server.pem"),
                                                     "--tls-key", str(directory / "server.key")))
    top.server.ca = directory / "ca.pem"
    top.start()
    site = Node(directory, "site", top)
    site.parent_url = top.server.url
    site.start(top.make_token())
    until(lambda: "certificate" in site.server.complaint(), 10, "it does not trust just anybody")
    site.server.stop()
    site.base += ["--join-ca-file", str(top.server.ca)]
    site.start(top.make_token())
    top.approve("site")
    top.wait_member("site")
    top.server.make_project("lab")
    job = top.server.submit("echo over https; sleep 0.5", max_duration="10m")
    expect_equal(top.server.wait_for(job)["exit_code"], 0, "its exit code")
    expect_equal(top.server.ask("GET", f"/v1/jobs/{job}/logs").body, "over https\n", "its log")


if __name__ == "__main__":
    testbed.run_tests([test_joining_takes_a_token_and_an_approval, test_a_circle_is_refused,
                       test_a_job_through_three_levels, test_logs_and_shells_from_the_top,
                       test_a_job_goes_on_while_cut, test_work_is_replaced_where_it_is_cut_off,
                       test_a_gang_over_several_members, test_two_parents_at_once,
                       test_names_are_resolved_from_anywhere, test_an_uplink_over_https, test_kill_any_of_them,
                       test_kill_slurmctld_and_its_site_below_a_network])
