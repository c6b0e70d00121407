#!/usr/bin/env python3
"""kill -9 of the real server under load, SUAN_KILLS times (20): what was acknowledged holds.

Clients submit, cancel and make keys, and repeat each request under its id until there is an answer.
After every kill the server starts again on the same state directory. At the end everything that was
acknowledged is there once, ran once, ended as it truly did, and was paid for once.
"""
import os
import random
import threading
import time

import testbed
from testbed import ENDED, Broken, Gone, expect, expect_equal, make_request_id, until

KILLS = int(os.environ.get("SUAN_KILLS", "20"))
SEED = int(os.environ.get("SUAN_SEED", str(random.SystemRandom().randrange(10**6))))
CLIENTS = 4
PROJECTS = {"lab-a": "100000", "lab-b": "100000"}
OUTPUT_LINES = 2000
KINDS = {  # What a job does after it has said that it ran, and its true exit code.
    "true": ("true", 0),
    "sleep": ("sleep 0.2", 0),
    "long": ("sleep 3", 0),
    "code": ("exit 7", 7),
    "late": ("sleep 0.4; exit 9", 9),
    "signal": ("kill -TERM $$", 128 + 15),
    "output": (f"seq 1 {OUTPUT_LINES}; sleep 0.1; echo end", 0),
}


class Asked:
    """One request, the same until it is answered."""

    def __init__(self, method, path, body, kind="", tag=""):
        self.method, self.path, self.body = method, path, body
        self.kind, self.tag = kind, tag
        self.id, self.answer, self.times = make_request_id(), None, 0

    def send(self, server):
        self.times += 1
        return server.ask(self.method, self.path, self.body, request_id=self.id, key=server.operator)


class Load:
    """Clients that go on whatever happens to the server, and remember what they were told."""

    def __init__(self, server, marks):
        self.server, self.marks = server, marks
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.jobs, self.cancels, self.keys, self.wrong = [], [], [], []
        self.threads = [threading.Thread(target=self.run, args=(random.Random(f"{SEED}-{n}"), n), daemon=True)
                        for n in range(CLIENTS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(90)
            expect(not thread.is_alive(), "a client never got its answer")
        expect(not self.wrong, f"wrong answers: {self.wrong[:3]}")

    def run(self, chance, number):
        count = 0
        while not self.is_over.is_set():
            count += 1
            try:
                self.do_something(chance, f"{number}-{count}")
            except Exception as error:  # Told by join.
                self.wrong.append(repr(error))
                return
            time.sleep(chance.uniform(0.02, 0.15))

    def do_something(self, chance, tag):
        with self.lock:
            known = [each for each in self.jobs if each.kind in ("long", "sleep")][-20:]
        what = chance.random()
        if what < 0.12 and known:
            job = chance.choice(known).answer.json["id"]
            self.deliver(Asked("POST", f"/v1/jobs/{job}/cancel", None, tag=job), self.cancels)
        elif what < 0.16:
            body = {"user": f"user-{tag}", "projects": ["lab-a"], "label": tag}
            self.deliver(Asked("POST", "/v1/keys", body), self.keys)
        elif what < 0.24 and known:
            self.repeat(chance.choice(known))
        else:
            self.deliver(self.new_job(chance, tag), self.jobs)

    def new_job(self, chance, tag):
        kind = chance.choice(list(KINDS))
        run = f"echo {tag} >> {self.marks}; {KINDS[kind][0]}"
        project = chance.choice(list(PROJECTS))
        return Asked("POST", "/v1/jobs", {"project": project, "name": tag, "run": run, "max_duration": "10m"},
                     kind, tag)

    def deliver(self, asked, into):
        """Asks until there is an answer. A server that is down or busy has given none."""
        end = time.monotonic() + 80
        while asked.answer is None:
            try:
                answer = asked.send(self.server)
            except Gone:
                answer = None
            if answer is not None and answer.status != 503:
                asked.answer = answer
            elif time.monotonic() > end:
                raise Broken(f"no answer to {asked.path} in 80 s")
            else:
                time.sleep(0.05)
        fits = (200, 201, 202) if into is not self.cancels else (202, 409)
        if asked.answer.status not in fits:
            raise Broken(f"{asked.method} {asked.path}: {asked.answer}")
        with self.lock:
            into.append(asked)

    def repeat(self, asked):
        try:
            again = asked.send(self.server)
        except Gone:
            return
        if again.status != 503 and (again.status, again.body) != (asked.answer.status, asked.answer.body):
            raise Broken(f"the same id was answered {asked.answer} and then {again}")


class Watcher:
    """Reads the stream of changes, over as many connections as it takes, resuming after the last."""

    def __init__(self, server):
        self.server, self.seen, self.wrong = server, [], []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over.is_set():
            after = testbed.print_place(self.seen[-1]) if self.seen else 0
            try:
                for place in testbed.read_events(self.server, after, self.is_over):
                    if self.seen and place <= self.seen[-1]:
                        self.wrong.append(f"{place} came after {self.seen[-1]}")
                    self.seen.append(place)
            except Gone:
                time.sleep(0.05)

    def close(self, server):
        """Once it has come to the end: it saw what a stream from the beginning tells, in its order."""
        last = server.read("/v1/domain")["sequence"]
        until(lambda: (self.seen and self.seen[-1][0] >= last) or self.wrong, 30,
              f"the stream of changes comes to {last}, is at {self.seen[-1:]}")
        self.is_over.set()
        self.thread.join(30)
        expect(not self.wrong, f"the stream of changes: {self.wrong[:3]}")
        whole = testbed.read_past_events(server, last)
        expect_equal([place for place in self.seen if place[0] < last], [place for place in whole if place[0] < last],
                     "a stream of changes resumed many times, and one from the beginning")


def check_jobs(server, load, marks):
    """Every acknowledged job is there once, ran once and ended as its command did."""
    found = server.rows("/v1/jobs", "jobs")
    by_id = {job["id"]: job for job in found}
    expect_equal(len(by_id), len(found), "jobs in the list, by id")
    acknowledged = [asked.answer.json["id"] for asked in load.jobs]
    expect_equal(len(set(acknowledged)), len(acknowledged), "acknowledged jobs, by id")
    expect_equal(sorted(by_id), sorted(acknowledged), "jobs there and jobs acknowledged")
    lines = marks.read_text().split()
    expect_equal(len(set(lines)), len(lines), "marks that jobs left, each only once "
                 f"({sorted(each for each in set(lines) if lines.count(each) > 1)[:5]} are there twice)")
    ran = set(lines)
    cancelled = {asked.tag for asked in load.cancels if asked.answer.status == 202}
    for asked in load.jobs:
        job = by_id[asked.answer.json["id"]]
        state, code = job["state"], job["exit_code"]
        expect_equal(job["name"], asked.tag, f"the name of {job['id']}")
        if state == "cancelled":
            expect(job["id"] in cancelled, f"{job['id']} was cancelled and nobody asked for it")
            continue
        wanted = KINDS[asked.kind][1]
        is_stopped = job["id"] in cancelled and state == "failed"
        expect(is_stopped or (state, code) == ("finished" if wanted == 0 else "failed", wanted),
               f"{job['id']} ({asked.kind}) is {state} with {code}: {job['reason']}")
        expect(asked.tag in ran, f"{job['id']} ({asked.kind}) is {state} and never ran")
    expect(ran <= {asked.tag for asked in load.jobs}, "a job ran that nobody submitted")


def check_repeats(server, load):
    """The same id has the same answer, to the letter, however often the server died between."""
    for asked in load.jobs[::7] + load.cancels + load.keys:
        again = asked.send(server)
        expect_equal((again.status, again.body), (asked.answer.status, asked.answer.body),
                     f"the repeat of {asked.method} {asked.path}")
    for asked in load.keys:
        expect_equal(server.ask("GET", "/v1/me", key=asked.answer.json["secret"]).status, 200,
                     "a request with a key that was acknowledged")


def check_logs(server, load):
    wanted = "".join(f"{n}\n" for n in range(1, OUTPUT_LINES + 1)) + "end\n"
    for asked in [each for each in load.jobs if each.kind == "output"][-40:]:
        job = asked.answer.json["id"]
        log = server.ask("GET", f"/v1/jobs/{job}/logs")
        expect_equal((log.status, log.body), (200, wanted), f"the log of {job}")


def kill_and_start(server, chance):
    """Kills it after a while, now and then also while it starts; answers how long the start took."""
    time.sleep(chance.uniform(0.05, 1.0))
    server.kill()
    if chance.random() < 0.3:  # What runs may end while nobody looks.
        time.sleep(chance.uniform(0.1, 1.5))
    while chance.random() < 0.25:
        server.start_unready()
        time.sleep(chance.uniform(0, 0.15))
        server.kill()
    began = time.monotonic()
    server.start()
    return time.monotonic() - began


def test_nothing_acknowledged_is_lost(directory):
    server = testbed.Server(directory, "--cores", "16").start()
    server.operator = server.key
    marks = directory / "marks"
    marks.touch()
    for name, amount in PROJECTS.items():
        server.make_project(name, amount)
    load, watcher = Load(server, marks), Watcher(server)
    load.start()
    chance = random.Random(SEED)
    down = [kill_and_start(server, chance) for _ in range(KILLS)]
    time.sleep(0.5)
    load.join()
    until(lambda: all(job["state"] in ENDED for job in server.rows("/v1/jobs", "jobs")), 120, "all jobs have ended",
          pause=0.5)
    watcher.close(server)
    check_jobs(server, load, marks)
    check_logs(server, load)
    charged = testbed.check_money(server, {name: testbed.money(each) for name, each in PROJECTS.items()})
    expect(charged > 0, "nothing was charged")
    for project in server.read("/v1/projects")["projects"]:
        expect_equal(testbed.money(project["held"]), 0, f"held of {project['name']} when all jobs have ended")
    check_repeats(server, load)
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    server.verify_journal("--head", str(server.state / "heads"))
    repeats = sum(each.times - 1 for each in load.jobs + load.cancels + load.keys)
    print(f"        {KILLS} kills (SUAN_SEED={SEED}), {len(load.jobs)} jobs, {len(load.cancels)} cancels, "
          f"{len(load.keys)} keys, {repeats} repeats, {len(watcher.seen)} events seen; ready again after "
          f"{sorted(down)[len(down) // 2]:.2f} s, at most {max(down):.2f} s", flush=True)


if __name__ == "__main__":
    testbed.run_tests([test_nothing_acknowledged_is_lost], seconds=120 + 15 * KILLS)
