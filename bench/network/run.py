#!/usr/bin/env python3
"""Three levels of real domains on one machine, beside one Slurm: JSON lines on stdout, one a metric,
medians of five.

A country and a province have no engine of their own; a site below them runs processes. What crosses the
link between province and site is counted on the way. The baseline is a Slurm of one cluster on the same
machine, in turn: it has no second or third level.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
for part in ("tests/e2e", "tests/slurm"):
    sys.path.insert(0, str(ROOT / part))
import centre as slurm_centre  # noqa: E402
import testbed  # noqa: E402
from network import Node, join, three_levels  # noqa: E402

ROUNDS = 5
SLOTS = 32  # Jobs that run side by side, there as here; more than the machine has cores.
LOST_AFTER, GRACE = 10, 30  # Seconds: the least there may be, and what every job has.
# What the promise allows at the least: the site may run on for so long, measured by a clock that may be off, and
# before any second attempt there is a pause.
LOST_MIN_MS = ((LOST_AFTER + GRACE) * 1.02 + 10) * 1000
REPLACED_MIN_MS = LOST_MIN_MS + 10_000
MARK = 'echo ${EPOCHREALTIME/,/.} > "%s"'


def say(text):
    print(text, file=sys.stderr, flush=True)


def report(metric, values, unit, baselines=()):
    """The median of what was measured in turn; all of it goes to stderr."""
    say(f"{metric}: {' '.join(f'{each:.4g}' for each in values)} "
        f"{'beside ' + ' '.join(f'{each:.4g}' for each in baselines) if baselines else ''}")
    line = {"bench": "network", "metric": metric, "value": float(f"{statistics.median(values):.4g}"), "unit": unit}
    if baselines:
        line["baseline"] = float(f"{statistics.median(baselines):.4g}")
    print(json.dumps(line), flush=True)


def quantile(values, hundredths):
    ordered = sorted(values)
    return ordered[min(len(ordered) * hundredths // 100, len(ordered) - 1)]


class Network:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.country, self.province, self.site = three_levels(
            directory, site_flags=("--cores", str(SLOTS), "--price", "0.1"))
        self.country.server.change("POST", "/v1/projects/lab/deposits", {"amount": "900000000", "text": "load"})
        self.marks = 0

    def submit(self, run="true"):
        return self.country.server.submit(run, max_duration="10m")

    def wait_all_ended(self, jobs):
        """Once the last of them has ended all are looked at: newest first they are all in a page or two."""
        wanted = set(jobs)
        while wanted:
            for each in self.country.server.rows("/v1/jobs", "jobs")[:len(jobs) * 2]:
                if each["state"] in testbed.ENDED:
                    wanted.discard(each["id"])
            time.sleep(0.02)

    def burst(self, count):
        """Jobs a second, from the first submission to the last end that is known at the top."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = list(pool.map(lambda _: self.submit(), range(count)))
        submitted = time.monotonic()
        self.wait_all_ended(jobs)
        return count / (submitted - began), count / (time.monotonic() - began)

    def start_latencies(self, count):
        """Milliseconds from asking at the top to the first line of the script at the site, one by one."""
        out = []
        for _ in range(count):
            self.marks += 1
            mark = self.directory / f"mark{self.marks}"
            began = time.time()
            job = self.submit(MARK % mark)
            out.append((wait_for_mark(mark) - began) * 1000)
            self.country.server.wait_for(job)
        return out

    def idle_bytes(self, seconds):
        before = self.site.link.bytes
        time.sleep(seconds)
        return (self.site.link.bytes - before) * 3600 / seconds

    def catalogue_latencies(self, lab, count):
        """Milliseconds until a pool that a fourth level's operator closes is closed at the top."""
        out = []
        for number in range(count):
            word = "approve" if number % 2 else "refuse"
            wanted = "production" if number % 2 else "closed"
            began = time.monotonic()
            self.site.server.change("POST", f"/v1/members/{lab.name}/{word}")
            while self.lab_pool_state() != wanted:
                time.sleep(0.002)
            out.append((time.monotonic() - began) * 1000)
        return out

    def replacement(self, number):
        """A job at the site, whose link to the province is cut: milliseconds from there to the last sign of its first
        attempt, until the country says that it is lost, and to the first sign of the second attempt elsewhere."""
        job, file = self.submit_at_site(number)
        began = time.time()
        self.site.link.cut()
        while not self.is_lost(job):
            time.sleep(0.01)
        lost = time.time()
        testbed.until(lambda: len(alive_times(file)) == 2, 120, f"{job} is started again")
        file.with_name(file.name + ".stop").touch()
        self.country.server.wait_for(job, seconds=30)
        self.site.link.mend()
        self.province.wait_member("site", 60)
        self.country.wait_member("province")
        first, second = sorted(alive_times(file).values())
        return [(moment - began) * 1000 for moment in (max(first), lost, min(second))]

    def submit_at_site(self, number):
        """A job that says when it is alive; tried again until it is at the site, which may not be back in sight yet."""
        for turn in range(60):
            file = self.directory / f"replaced{number}-{turn}"
            job = self.country.server.submit(
                f"until [ -e {file}.stop ]; do echo $PPID.$$ $EPOCHREALTIME >> {file}; sleep 0.05; done",
                max_duration="10m", partition={"lost_after": f"{LOST_AFTER}s", "replace": True})
            testbed.until(lambda: alive_times(file), 30, f"{job} runs")
            if "site" in self.first_attempt(job)["pool"]:
                return job, file
            file.with_name(file.name + ".stop").touch()
            self.country.server.wait_for(job, seconds=30)
            time.sleep(1)
        raise testbed.Broken("no job is placed at the site")

    def first_attempt(self, job):
        return self.country.server.read(f"/v1/jobs/{job}")["tasks"][0]["attempts"][0]

    def is_lost(self, job):
        return self.first_attempt(job).get("end") == "lost"

    def lab_pool_state(self):
        for each in self.country.server.read("/v1/pools")["pools"]:
            if each["name"].split("/")[0].endswith(".lab"):
                return each["pool"]["state"]
        return None


def wait_for_mark(mark):
    while True:
        try:
            text = mark.read_text()
            if text.endswith("\n"):
                return float(text)
        except FileNotFoundError:
            pass
        time.sleep(0.001)


def alive_times(file):
    """When each attempt said that it was alive."""
    times = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        attempt, moment = line.split()
        times.setdefault(attempt, []).append(float(moment))
    return times


class Slurm:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.centre = slurm_centre.Centre(self.directory / "slurm", SLOTS)
        self.centre.start()
        self.marks = 0

    def submit(self, line):
        script = "#!/bin/bash\n" + line + "\n"
        done = subprocess.run(["sbatch", "--parsable", "-n1", "-t", "10", "-o", "/dev/null"], input=script, text=True,
                              capture_output=True, env=self.centre.environment, check=True, cwd=self.directory)
        return done.stdout.strip()

    def start_latencies(self, count):
        out = []
        for _ in range(count):
            self.marks += 1
            mark = self.directory / f"slurm-mark{self.marks}"
            began = time.time()
            self.submit(MARK % mark)
            out.append((wait_for_mark(mark) - began) * 1000)
        return out

    def burst(self, count):
        marks = [self.directory / f"burst{self.marks}-{i}" for i in range(count)]
        self.marks += 1
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda mark: self.submit(MARK % mark), marks))
        submitted = time.monotonic()
        for mark in marks:
            wait_for_mark(mark)
        return count / (submitted - began), count / (time.monotonic() - began)


def measure_cuts(network):
    noticed, back = [], []
    for _ in range(ROUNDS):
        began = time.monotonic()
        network.site.link.cut()
        while network.province.member("site")["connected"]:
            time.sleep(0.002)
        noticed.append((time.monotonic() - began) * 1000)
        time.sleep(1)
        network.site.link.mend()
        began = time.monotonic()
        while not network.province.member("site")["connected"]:
            time.sleep(0.002)
        back.append((time.monotonic() - began) * 1000)
    report("cut_noticed_ms", noticed, "ms")
    report("reconnected_ms", back, "ms")


def measure_replacements(network):
    """From a cut below the province to work that runs elsewhere, beside what the promise allows at the least."""
    spare = join(Node(network.directory, "spare", network.country, flags=("--cores", "1", "--price", "0.2")))
    rounds = [network.replacement(number) for number in range(ROUNDS)]
    for name, values, least in zip(("cut_to_stopped_ms", "cut_to_lost_ms", "cut_to_replaced_ms"),
                                   zip(*rounds), (LOST_AFTER * 1000, LOST_MIN_MS, REPLACED_MIN_MS)):
        report(name, values, "ms", (least,))
    spare.server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--jobs", type=int, default=200, help="in a burst")
    parser.add_argument("--idle", type=int, default=30, help="seconds of an idle uplink")
    parser.add_argument("--replacements", action="store_true", help="measure only these; no Slurm is needed")
    parser.add_argument("--zones", action="store_true", help="measure only the saving over 15 grid zones")
    parser.add_argument("--traces", default=os.environ.get("SUAN_TRACES"),
                        help="where the series of prices and carbon are; or SUAN_TRACES")
    options = parser.parse_args()
    if options.zones:
        return measure_zones(options.traces) if options.traces else parser.error("--zones needs --traces or SUAN_TRACES")
    with tempfile.TemporaryDirectory(prefix="suan-bench-", dir="/var/tmp") as directory:
        if options.replacements:
            try:
                return measure_replacements(Network(directory))
            finally:
                testbed.end_processes(directory)
        os.chmod(directory, 0o755)  # slurmrestd reads in there as a user of its own.
        slurm = Slurm(directory)
        try:
            measure(Network(directory), slurm, options)
        finally:
            slurm.centre.stop()
            testbed.end_processes(directory)
    return measure_zones(options.traces)


def measure_zones(traces):
    """What a domain over 15 grid zones saves without foresight, beside what hindsight would have saved."""
    if not traces:
        say("the saving over 15 grid zones is left out: it needs --traces or SUAN_TRACES")
        return 0
    program = ROOT / "build/release/bench_zones"
    if not program.exists():
        say("bench_zones is not built: ./run bench network --zones --traces DIR builds and runs it")
        return 2
    return subprocess.run([program, traces], check=False).returncode


def measure(network, slurm, options):
    network.burst(20)
    slurm.burst(20)
    here, there = [], []
    for _ in range(ROUNDS):
        here.append(network.burst(options.jobs))
        there.append(slurm.burst(options.jobs))
    report("submissions_per_second", [each[0] for each in here], "1/s", [each[0] for each in there])
    report("jobs_per_second", [each[1] for each in here], "1/s", [each[1] for each in there])
    here, there = [], []
    for _ in range(ROUNDS):
        here.append(network.start_latencies(30))
        there.append(slurm.start_latencies(30))
    for name, hundredths in (("p50", 50), ("p99", 99)):
        report(f"submit_to_start_{name}_ms", [quantile(each, hundredths) for each in here], "ms",
               [quantile(each, hundredths) for each in there])
    report("idle_uplink_bytes_per_hour", [network.idle_bytes(options.idle) for _ in range(ROUNDS)], "B/h")
    measure_cuts(network)
    measure_replacements(network)
    lab = join(Node(network.directory, "lab", network.site))
    while network.lab_pool_state() != "production":
        time.sleep(0.05)
    changes = network.catalogue_latencies(lab, 20)
    report("catalogue_change_to_top_ms", changes, "ms")
    report("catalogue_changes_per_second", [1000 / each for each in changes], "1/s")


if __name__ == "__main__":
    sys.exit(main())
