#!/usr/bin/env python3
"""Durable submissions over HTTP, and jobs from end to end, beside a real Slurm: JSON lines on stdout,
one a metric, medians of five.

The server runs on the first core, whoever asks it on the second. In the load tests every job waits
(not before a day far ahead; held, in Slurm), so that submission alone is measured. Each run of Suanhe
begins with an empty state directory. What is compared is measured in turn on the same machine.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "slurm"))
import centre as slurm_centre  # noqa: E402
SERVER_PIN = ("taskset", "-c", "0")
CLIENT_PIN = ("taskset", "-c", "1")
SLOTS = 32  # Jobs that run side by side, there as here; more than the machine has cores.


def say(text):
    print(text, file=sys.stderr, flush=True)


def report(metric, value, unit, baseline=None):
    line = {"bench": "submissions", "metric": metric, "value": float(f"{value:.6g}"), "unit": unit}
    if baseline is not None:
        line["baseline"] = float(f"{baseline:.6g}")
    print(json.dumps(line), flush=True)


def make_request_id():
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(3 << 62) | 2 << 62
    return str(uuid.UUID(int=number))


class Suanhe:
    """A fresh domain in a directory of its own, with a project that has money."""

    def __init__(self, program, directory):
        self.program, self.directory = program, pathlib.Path(directory)

    def __enter__(self):
        self.process = subprocess.Popen(
            [*SERVER_PIN, self.program, "serve", "--state", str(self.directory / "state"),
             "--listen", "127.0.0.1:0", "--cores", str(SLOTS)],
            stdout=subprocess.PIPE, stderr=open(self.directory / "serve.err", "wb"), text=True)
        line = self.process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if not found:
            raise RuntimeError("suan serve: " + (self.directory / "serve.err").read_text())
        self.port = int(found.group(1))
        self.key = (self.directory / "state/operator.key").read_text().strip()
        self.ask("POST", "/v1/projects", {"name": "load"})
        self.ask("POST", "/v1/projects/load/deposits", {"amount": "900000000"})
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def headers(self, request_id):
        return {"Authorization": "Bearer " + self.key, "Idempotency-Key": request_id,
                "Content-Type": "application/json"}

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, None if body is None else json.dumps(body),
                           self.headers(make_request_id()))
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text)

    def job(self, is_held):
        job = {"name": "load", "project": "load", "run": "true", "max_duration": "1m",
               "resources": {"cpus": 1, "memory": "1MB"}}
        if is_held:
            job["start"] = {"not_before": "2099-01-01T00:00:00Z"}
        return json.dumps(job)

    def ended(self):
        return int(self.ask("GET", "/v1/domain")["jobs_ended"])


def load(directory, url, headers, body, clients, seconds):
    """What suan_load reports, or None if not every request was accepted."""
    template = pathlib.Path(directory) / "body.json"
    template.write_text(body)
    flags = [flag for name, value in headers.items() for flag in ("--header", f"{name}: {value}")]
    done = subprocess.run([*CLIENT_PIN, ROOT / "build/release/suan_load", "--url", url, "--connections",
                           str(clients), "--seconds", str(seconds), "--body-template", template, *flags],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"suan_load: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def fresh(place):
    return tempfile.TemporaryDirectory(prefix="suan-bench-", dir=place)


def syncs_per_second(place, seconds=1.0):
    """Writes of 4 KiB at the end of a file, each made durable."""
    with tempfile.NamedTemporaryFile(dir=place) as file:
        block, count = b"x" * 4096, 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.write(file.fileno(), block)
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


def submit(options, place, clients):
    with fresh(place) as directory, Suanhe(options.program, directory) as domain:
        load(directory, domain.url + "/v1/jobs", domain.headers("{uuid7}"), domain.job(True), clients, 0.5)
        return load(directory, domain.url + "/v1/jobs", domain.headers("{uuid7}"), domain.job(True),
                    clients, options.seconds)


def median_of(reports, name):
    return statistics.median(float(each[name]) for each in reports)


def loop_per_second(script, count, environment):
    """How many times a second a command can be run, one after another."""
    start = time.monotonic()
    subprocess.run([*CLIENT_PIN, "bash", "-c", f"for ((i = 0; i < {count}; ++i)); do {script}; done"],
                   env=dict(os.environ, **environment), check=True, stdout=subprocess.DEVNULL)
    return count / (time.monotonic() - start)


def cli_per_second(options, count):
    with fresh(options.place) as directory, Suanhe(options.program, directory) as domain:
        file = pathlib.Path(directory) / "run.yaml"
        file.write_text(domain.job(True))  # JSON is YAML.
        return loop_per_second(f"{options.program} run -d -y -f {file} || exit 1", count,
                               {"SUAN_URL": domain.url, "SUAN_KEY": domain.key, "XDG_STATE_HOME": directory})


def post_many(port, path, make_headers, body, count, threads=4):
    """Posts `count` times over kept connections. The first failure is raised."""
    failures, left = [], [count // threads] * threads

    def work(mine):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(mine):
            connection.request("POST", path, body, make_headers())
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                failures.append(f"{path}: {answer.status} {text[:300]!r}")
                return
    workers = [threading.Thread(target=work, args=(mine,)) for mine in left]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise RuntimeError(failures[0])


def settled_per_second(post, ended, count):
    """Jobs of `true` from the first submission to the end of the last one."""
    before, start = ended(), time.monotonic()
    post(count)
    while ended() < before + count:
        if time.monotonic() - start > 600:
            raise RuntimeError("jobs do not end")
        time.sleep(0.05)
    return count / (time.monotonic() - start)


def measure_settled(options):
    with fresh(options.place) as directory, Suanhe(options.program, directory) as domain:
        def post(count):
            post_many(domain.port, "/v1/jobs", lambda: domain.headers(make_request_id()), domain.job(False),
                      count)
        return settled_per_second(post, domain.ended, 2000)


def measure_http(options):
    durable = {}
    for clients in (1, 64, 512):
        durable[clients] = [submit(options, options.place, clients) for _ in range(options.runs)]
    syncs = statistics.median(syncs_per_second(options.place) for _ in range(options.runs))
    report("disk_syncs_per_second", syncs, "1/s")
    for clients, reports in durable.items():
        report(f"submissions_per_second_{clients}_client{'s' if clients > 1 else ''}",
               median_of(reports, "per_second"), "1/s", syncs)
        report(f"p50_ms_{clients}_client{'s' if clients > 1 else ''}", median_of(reports, "p50_ms"), "ms")
        report(f"p99_ms_{clients}_client{'s' if clients > 1 else ''}", median_of(reports, "p99_ms"), "ms")
    # A file system in memory syncs nothing: the same program with syncing off.
    floating = [submit(options, "/dev/shm", 512) for _ in range(options.runs)]
    nondurable = median_of(floating, "per_second")
    report("durable_over_nondurable", median_of(durable[512], "per_second") / nondurable, "1", 1)
    report("nondurable_submissions_per_second_512_clients", nondurable, "1/s")


def alternate(options, ours, theirs):
    """Medians of both, taken in turn, so that a slow minute of the machine slows both."""
    pairs = [(ours(), theirs() if theirs else None) for _ in range(options.runs)]
    here = statistics.median(pair[0] for pair in pairs)
    return here, statistics.median(pair[1] for pair in pairs) if theirs else None


def compare(options, rate_metric, ratio_metric, ours, theirs):
    here, there = alternate(options, ours, theirs)
    report(rate_metric, here, "1/s", there)
    if theirs:
        report(ratio_metric, here / there, "1", 1)


def compare_rest(options, centre, directory):
    def theirs(clients):
        rate = load(directory, centre.url, centre.headers(), centre.job("#!/bin/sh\ntrue\n", True),
                    clients, options.seconds)["per_second"]
        centre.clear()
        return rate
    tried = {clients: theirs(clients) for clients in (4, 8, 64)}  # It is asked in the way that suits it.
    best = max(tried, key=tried.get)
    say(f"slurmrestd is fastest with {best} clients: {tried[best]:.0f}/s")
    compare(options, "submissions_per_second_64_clients_beside_slurm", "ratio_to_slurmrestd",
            lambda: submit(options, options.place, 64)["per_second"], lambda: theirs(best))


def compare_cli(options, centre, directory):
    def theirs():
        script = pathlib.Path(directory) / "true.sh"
        script.write_text("#!/bin/sh\ntrue\n")
        rate = loop_per_second(f"sbatch --hold --parsable -o /dev/null {script} || exit 1", 100,
                               {"SLURM_CONF": str(centre.root / "slurm.conf")})
        centre.clear()
        return rate
    compare(options, "cli_submissions_per_second", "ratio_cli_to_sbatch",
            lambda: cli_per_second(options, 200), theirs if centre else None)


def compare_settled(options, centre):
    def theirs():
        def post(count):
            post_many(centre.rest_port, "/slurm/v0.0.38/job/submit", centre.headers,
                      centre.job("#!/bin/sh\ntrue\n", False), count)
        return settled_per_second(post, centre.ended, 200)
    compare(options, "settled_jobs_per_second", "ratio_settled_to_slurm",
            lambda: measure_settled(options), theirs if centre else None)


def measure(options, centre, directory):
    if "http" in options.parts:
        measure_http(options)
    if centre and "rest" in options.parts:
        compare_rest(options, centre, directory)
    if "cli" in options.parts:
        compare_cli(options, centre, directory)
    if "settled" in options.parts:
        compare_settled(options, centre)
    report("load_average", os.getloadavg()[0], "1")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of each run under load")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--place", default=str(ROOT / "build"), help="a directory on the disk to measure")
    parser.add_argument("--program", default=str(ROOT / "build/release/suan"))
    parser.add_argument("--without-slurm", action="store_true")
    parser.add_argument("--parts", default="http,rest,cli,settled", help="some of these")
    options = parser.parse_args()
    say(f"load average {os.getloadavg()[0]:.1f}")
    absent = "not asked for" if options.without_slurm else slurm_centre.missing()
    with fresh(options.place) as directory:
        if absent:
            say("no Slurm to compare with: " + absent)
            return measure(options, None, directory)
        os.chmod(directory, 0o755)  # slurmrestd reads in there as a user of its own.
        centre = slurm_centre.Centre(pathlib.Path(directory) / "slurm", SLOTS, SERVER_PIN)
        try:
            centre.start()
            measure(options, centre, directory)
        finally:
            centre.stop()


if __name__ == "__main__":
    shutil.which("taskset") or sys.exit("taskset is not installed: apt-get install util-linux")
    main()
