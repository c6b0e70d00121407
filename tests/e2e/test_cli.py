#!/usr/bin/env python3
"""The CLI against the real server: what each verb prints and ends with, and what it must not let happen."""
import json
import os
import re
import signal
import subprocess
import time

import testbed
from testbed import SUAN, expect, expect_equal, until

def with_flags(verb, *flags):
    """The words of a verb with flags more, which stand before a command."""
    at = verb.index("--") if "--" in verb else len(verb)
    return [*verb[:at], *flags, *verb[at:]]


JOB = re.compile(r"job-\d+")


class Desk:
    """A server with a project, and a person's shell beside it."""

    def __init__(self, directory, *flags):
        self.directory = directory
        self.server = testbed.Server(directory, "--cores", "4", *flags).start()
        self.server.make_project("lab", "1000")
        self.home = directory / "home"
        self.home.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "NO_COLOR": "1",
                    "SUAN_URL": self.server.url, "SUAN_KEY": self.server.key}

    def run(self, *words, wanted=0, env=None, stdin=None, seconds=60):
        """One command; its exit code has to be the wanted one."""
        done = subprocess.run([SUAN, *words], env={**self.env, **(env or {})}, capture_output=True, text=True,
                              cwd=self.directory, timeout=seconds, check=False, input=stdin)
        says = f"suan {' '.join(words)}: {done.stdout[-400:]}{done.stderr[-400:]}"
        expect_equal(done.returncode, wanted, f"the exit code of {says}")
        return done

    def start(self, *words):
        return subprocess.Popen([SUAN, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.directory)

    def submit(self, run, *flags):
        out = self.run("run", "-d", "-y", "-p", "lab", "-t", "10m", *flags, "--", run).stdout.strip()
        expect(JOB.fullmatch(out), f"suan run -d printed {out!r}")
        return out


def test_run_ends_as_its_job(directory):
    desk = Desk(directory)
    for run, code in (("echo out; echo err >&2", 0), ("echo out; echo err >&2; exit 7", 7),
                      ("echo out; echo err >&2; kill -TERM $$", 143)):
        done = desk.run("run", "-y", "-p", "lab", "--", run, wanted=code)
        expect_equal(done.stdout, "out\n", f"the output of {run!r}")
        expect("err\n" in done.stderr, f"the errors of {run!r}: {done.stderr!r}")
    words = desk.run("run", "-y", "-p", "lab", "--", "printf", "%s|", "a b", "$HOME").stdout
    expect_equal(words, "a b|$HOME|", "several words, passed on as they are")
    desk.run("run", "-p", "lab", "--", "true", wanted=2)  # Nobody to ask and no -y.
    desk.run("run", "-y", "-p", "lab", wanted=2)  # Nothing to run.
    desk.run("run", "-y", "--no-such-flag", wanted=2)
    desk.run("no-such-verb", wanted=2)
    desk.run("run", "-y", "-p", "nobody", "--", "true", wanted=3)
    desk.run("run", "-y", "-p", "lab", "--gpus", "H800:8", "--", "true", wanted=3)
    desk.run("run", "-n", "-p", "lab", "--", "true")
    desk.run("ps", "job-99999", wanted=3)
    for verb in (["ps"], ["run", "-y", "-p", "lab", "--", "true"], ["project", "list"]):
        desk.run(*verb, wanted=4, env={"SUAN_URL": "http://127.0.0.1:1"})
    expect_equal(len(desk.server.rows("/v1/jobs", "jobs")), 4, "jobs after what was refused")


def test_forms_of_output(directory):
    desk = Desk(directory)
    job = desk.submit("echo one; sleep 0.2", "--name", "forms")
    desk.server.wait_for(job, "finished")
    verbs = (["ps", "-a"], ["ps", job], ["why", job], ["cost"], ["cost", job], ["key", "list"], ["project", "list"],
             ["find", "--cpus", "1"], ["plan", "-p", "lab", "--", "true"], ["find", "--gpus", "H800:8"])
    for verb in verbs:
        as_json = json.loads(desk.run(*with_flags(verb, "-o", "json")).stdout)
        expect(isinstance(as_json, dict) and as_json, f"suan {verb} -o json")
        for form in ("yaml", "table", "wide"):
            text = desk.run(*with_flags(verb, "-o", form)).stdout
            expect(text.strip() and not text.lstrip().startswith("{"), f"suan {verb} -o {form}: {text[:80]!r}")
        desk.run(*with_flags(verb, "-o", "xml"), wanted=2)
        yaml = desk.run(*with_flags(verb, "-o", "yaml")).stdout
        for name in as_json:
            expect(re.search(rf"^{name}:", yaml, re.M), f"suan {verb} -o yaml has no {name}")
    listed = json.loads(desk.run("ps", "-a", "-o", "json").stdout)
    expect_equal([each["id"] for each in listed["jobs"]], [job], "suan ps -a -o json")
    expect_equal(desk.run("logs", job).stdout, "one\n", "suan logs")
    expect_equal(json.loads(desk.run("cost", job, "-o", "json").stdout)["total"], desk.server.job(job)["cost"],
                 "suan cost and the job")
    expect("forms" in desk.run("ps", "-a", "-o", "wide").stdout, "suan ps -a -o wide says the name")


def test_stop_and_follow(directory):
    desk = Desk(directory)
    job = desk.submit("echo begun; sleep 100")
    follower = desk.start("logs", "-f", job)
    expect_equal(follower.stdout.readline(), "begun\n", "suan logs -f")
    desk.run("stop", job)
    expect_equal(desk.server.wait_for(job)["state"], "cancelled", "the job after suan stop")
    expect_equal(follower.wait(20), 0, "the exit code of suan logs -f at the end")
    follower.communicate()
    desk.run("stop", job, wanted=3)  # It has ended.
    watched = desk.start("run", "-y", "-p", "lab", "--", "echo begun; sleep 100")
    expect_equal(watched.stdout.readline(), "begun\n", "the output of a job that is watched")
    running = json.loads(desk.run("ps", "-o", "json").stdout)["jobs"]
    expect_equal(len(running), 1, "jobs that run")
    desk.run("stop", running[0]["id"])
    expect_equal(watched.wait(20), 3, "the exit code of suan run when its job is stopped")
    watched.communicate()


def test_interrupt_leaves_the_job(directory):
    desk = Desk(directory)
    watched = desk.start("run", "-y", "-p", "lab", "--", "echo begun; sleep 1; echo done; exit 5")
    expect_equal(watched.stdout.readline(), "begun\n", "the output of a job that is watched")
    watched.send_signal(signal.SIGINT)
    code = watched.wait(20)
    _, errors = watched.communicate()
    expect_equal(code, 130, f"the exit code after Ctrl-C ({errors})")
    job = JOB.search(errors)
    expect(job and "goes on" in errors, f"what is said after Ctrl-C: {errors!r}")
    expect_equal(desk.server.wait_for(job[0], "failed")["exit_code"], 5, "the job after Ctrl-C")
    expect_equal(desk.run("logs", job[0]).stdout, "begun\ndone\n", "its log")


def test_follow_over_a_restart(directory):
    """A client that watches a job sees it to its end although the server is killed and comes back."""
    desk = Desk(directory)
    watched = desk.start("run", "-y", "-p", "lab", "--", "for n in 1 2 3 4 5 6; do echo $n; sleep 0.5; done; exit 6")
    expect_equal(watched.stdout.readline(), "1\n", "the output of a job that is watched")
    port = desk.server.port
    desk.server.kill()
    time.sleep(0.5)
    desk.server.start(port)
    code = watched.wait(60)
    out, errors = watched.stdout.read(), watched.stderr.read()
    expect_equal((code, out), (6, "2\n3\n4\n5\n6\n"), f"exit code and output ({errors})")


def test_curl_does_the_same(directory):
    desk = Desk(directory)
    job = desk.submit("sleep 100")
    verbs = (["ps", "-a"], ["ps", job], ["why", job], ["cost"], ["key", "list"], ["project", "list"],
             ["find", "--cpus", "1"], ["plan", "-p", "lab", "--", "echo it's"], ["logs", job],
             ["project", "create", "other"], ["project", "fund", "other", "5", "--text", "it's a grant"],
             ["key", "create", "bob", "-p", "lab"], ["key", "revoke", "key-2"], ["stop", job],
             ["run", "-d", "-y", "-p", "lab", "--name", "by-curl", "--", "echo 'a b'"])
    for verb in verbs:
        command = desk.run(*with_flags(verb, "--curl")).stdout
        expect(command.startswith("curl "), f"suan {verb} --curl printed {command!r}")
        expect(desk.server.key not in command, f"suan {verb} --curl shows the key")
        done = subprocess.run(["bash", "-c", command.replace("curl ", "curl -f ", 1)], env=desk.env, text=True,
                              capture_output=True, timeout=30, check=False)
        expect_equal(done.returncode, 0, f"what suan {verb} --curl printed, run: {command} {done.stdout}{done.stderr}")
    made = [each for each in desk.server.rows("/v1/jobs", "jobs") if each["name"] == "by-curl"]
    expect_equal(len(made), 1, "jobs submitted by the curl command")
    desk.server.wait_for(made[0]["id"], "finished")
    expect_equal(desk.run("logs", made[0]["id"]).stdout, "a b\n", "its log")
    names = {each["name"]: each["available"] for each in desk.server.read("/v1/projects")["projects"]}
    expect_equal(names.get("other"), "5", "the project made and funded by curl")


def test_people(directory):
    """Keys, roles and projects: everyone sees what is theirs, and a revoked key nothing."""
    desk = Desk(directory)
    desk.run("project", "create", "secret")
    desk.run("project", "fund", "secret", "10")
    desk.run("project", "create", "lab", wanted=3)
    desk.run("project", "create", "Not A Name", wanted=3)
    desk.run("project", "fund", "lab", "0", wanted=2)
    desk.run("project", "fund", "lab", "-5", wanted=2)
    hidden = desk.run("run", "-d", "-y", "-p", "secret", "--", "true").stdout.strip()
    made = desk.run("key", "create", "alice", "-p", "lab", "--label", "laptop")
    secret = re.search(r"suan_\w+", made.stdout)
    expect(secret, f"suan key create: {made.stdout!r}")
    key_id = re.search(r"key-\d+", made.stdout + made.stderr)
    alice = {"SUAN_KEY": secret[0]}
    own = desk.run("run", "-d", "-y", "-p", "lab", "--", "true", env=alice).stdout.strip()
    listed = json.loads(desk.run("ps", "-a", "-o", "json", env=alice).stdout)
    expect_equal([each["id"] for each in listed["jobs"]], [own], "the jobs that a consumer sees")
    for words in (["ps", hidden], ["why", hidden], ["logs", hidden], ["stop", hidden],
                  ["run", "-y", "-p", "secret", "--", "true"], ["project", "create", "mine"],
                  ["project", "fund", "lab", "5"], ["key", "create", "eve", "--role", "operator"],
                  ["key", "revoke", "key-1"]):
        desk.run(*words, wanted=3, env=alice)
    projects = json.loads(desk.run("project", "list", "-o", "json", env=alice).stdout)["projects"]
    expect_equal([each["name"] for each in projects], ["lab"], "the projects that a consumer sees")
    for path in ("/v1/postings", "/v1/costs"):
        text = desk.server.ask("GET", path, key=secret[0]).body
        expect("secret" not in text and hidden not in text, f"GET {path} of a consumer: {text}")
    for path in (f"/v1/jobs/{hidden}", f"/v1/jobs/{hidden}/logs", "/v1/costs?project=secret"):
        expect_equal(desk.server.ask("GET", path, key=secret[0]).status, 404, f"GET {path} of a consumer")
    if key_id is None:
        keys = json.loads(desk.run("key", "list", "-o", "json").stdout)["keys"]
        key_id = [next(each["id"] for each in keys if each["user"] == "alice")]
    desk.run("key", "revoke", key_id[0])
    refused = desk.run("ps", wanted=3, env=alice)
    expect("key" in refused.stderr, f"what a revoked key is told: {refused.stderr!r}")
    expect_equal(desk.server.ask("GET", "/v1/me", key=secret[0]).status, 401, "a request with a revoked key")


def test_large_work_is_not_passed_by(directory):
    desk = Desk(directory)

    def put(run, cpus, length):
        out = desk.run("run", "-d", "-y", "-p", "lab", "--cpus", cpus, "-t", length, "--", run).stdout.strip()
        expect(JOB.fullmatch(out), f"suan run -d printed {out!r}")
        return out

    def job(name):
        return json.loads(desk.run("ps", name, "-o", "json").stdout)

    for _ in range(3):
        put("sleep 300", "1", "10m")
    large = put("true", "4", "10m")
    expect_equal(job(large)["reason"], "waits for capacity", "why the large job waits at first")
    passing = put("true", "1", "10m")
    until(lambda: job(passing)["state"] == "finished", 20, f"{passing} has ended")
    until(lambda: "a node of here/local is kept for it; free by" in job(large)["reason"], 20,
          "a node is kept for the large job")
    long = put("true", "1", "30m")
    expect_equal(job(long)["state"], "queued", "the state of a job that would be in the way")
    why = desk.run("why", long).stdout
    expect(f"nodes of here/local are kept for {large} until" in why, f"why it waits: {why}")
    expect("with max_duration" in why, f"how short it would have to be: {why}")
    short = put("true", "1", "1m")
    until(lambda: job(short)["state"] == "finished", 20, "a short job runs meanwhile")
    for row in json.loads(desk.run("ps", "--state", "running", "-o", "json").stdout)["jobs"]:
        desk.run("stop", row["id"])
    until(lambda: job(large)["state"] == job(long)["state"] == "finished", 60, "both have run")


def test_a_site_is_drained(directory):
    desk = Desk(directory)
    mark = directory / "mark"
    job = desk.submit(f"until [ -e {mark} ]; do sleep 0.05; done; exit 7")
    desk.server.wait_for(job, "running")
    waiting = desk.submit("true", "--cpus", "4")
    expect_equal(desk.run("site", "drain", "here").stdout,
                 "here takes nothing new; what runs there finishes: suan ps\n", "site drain")
    desk.server.kill()
    desk.server.start()  # It stays drained.
    desk.env["SUAN_URL"] = desk.server.url
    refused = desk.run("run", "-d", "-y", "-p", "lab", "--", "true", wanted=3).stderr
    expect("draining" in refused, refused)
    expect("draining" in desk.run("why", waiting).stdout, "why a job waits while its site is drained")
    expect_equal(desk.server.job(job)["state"], "running", "what ran before")
    mark.touch()
    expect_equal(desk.server.wait_for(job)["exit_code"], 7, "its exit code")
    expect_equal(desk.server.job(waiting)["state"], "queued", "the job after it")
    desk.run("site", "drain", "here", "--undo")
    expect_equal(desk.server.wait_for(waiting)["exit_code"], 0, "its exit code, once the site takes work again")
    refused = desk.run("site", "drain", "hre", wanted=3).stderr
    expect('there is no site "hre"' in refused and "here" in refused, refused)
    key = desk.run("key", "create", "alice", "--role", "consumer", "--project", "lab").stdout.split()[-1]
    desk.run("site", "drain", "here", wanted=3, env={"SUAN_KEY": key})
    desk.run("site", "drain", wanted=2)
    expect("--undo" in desk.run("site", "drain", "--help").stdout, "its help")


def test_login(directory):
    desk = Desk(directory)
    bare = {"SUAN_URL": "", "SUAN_KEY": ""}
    desk.run("login", desk.server.url, "--key-file", str(desk.server.state / "operator.key"), env=bare)
    config = desk.home / ".config/suan/config.json"
    expect_equal(config.stat().st_mode & 0o777, 0o600, "the mode of config.json")
    desk.run("project", "list", env=bare)
    wrong = directory / "wrong.key"
    wrong.write_text("suan_" + "0" * 40 + "\n")
    desk.run("login", desk.server.url, "--key-file", str(wrong), wanted=3, env=bare)
    desk.run("project", "list", env=bare)  # The wrong key was not kept.
    desk.run("login", desk.server.url, "--key-file", "-", env=bare, stdin=desk.server.key + "\n")


def test_specifications(directory):
    desk = Desk(directory)

    def plan(text):
        (directory / "run.yaml").write_text(text)
        return subprocess.run([SUAN, "plan", "-f", "run.yaml"], env=desk.env, cwd=directory, text=True,
                              capture_output=True, timeout=30, check=False)

    good = plan("project: lab\nname: fine\nrun: |\n  echo hi\nresources:\n  cpus: 1\nmax_duration: 10m\n")
    expect_equal(good.returncode, 0, f"a right run.yaml ({good.stderr})")
    for text, place, word in (("project: lab\nrun: true\nresources:\n  cpu: 1\n", "run.yaml:4:3", "cpus"),
                              ("project: [lab\nrun: hi\n", "run.yaml:2:", ""),
                              ("project: lab\nrun: hi\nmax_duration: soon\n", "run.yaml:3:", "max_duration"),
                              ("project: lab\nrunn: hi\n", "run.yaml:2:1", "run")):
        done = plan(text)
        expect(done.returncode in (2, 3), f"{text!r} ends with {done.returncode}: {done.stderr}")
        expect(place in done.stderr and word in done.stderr, f"wanted {place} and {word!r} in {done.stderr!r}")
    desk.run("plan", "-f", "absent.yaml", wanted=2)


if __name__ == "__main__":
    testbed.run_tests([test_run_ends_as_its_job, test_forms_of_output, test_stop_and_follow,
                       test_interrupt_leaves_the_job, test_follow_over_a_restart, test_curl_does_the_same,
                       test_people, test_large_work_is_not_passed_by, test_a_site_is_drained, test_login,
                       test_specifications], seconds=180)
