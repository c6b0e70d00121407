#!/usr/bin/env python3
"""By its system calls: the journal is synced before the answer to an accepted request leaves.

Needs strace and the right to trace a child (ptrace); without them the test fails, it does not pass.
"""
import re
import shutil
import subprocess

import testbed
from testbed import expect, expect_equal, make_request_id, until

CALLS = "fdatasync,fsync,sync_file_range,write,pwrite64,writev,pwritev,sendto,sendmsg,accept4,read,recvfrom,recvmsg"
SYNCS = ("fdatasync", "fsync")
SENDS = ("sendto", "sendmsg", "write", "writev")
RECEIVES = ("read", "recvfrom", "recvmsg")


class Call:
    """One system call: when it began and ended, as places in the order of the trace."""

    def __init__(self, name, words, began, ended):
        self.name, self.words, self.began, self.ended = name, words, began, ended

    def __repr__(self):
        return f"{self.name}({self.words[:160]}"


def read_calls(text):
    """The calls of an `strace -f`; one that was interrupted by another thread's is joined again."""
    calls, open_calls = [], {}
    for place, line in enumerate(text.split("\n")):
        thread, _, rest = line.partition(" ")
        rest = rest.strip()
        resumed = re.match(r"<\.\.\. (\w+) resumed>(.*)", rest)
        if resumed:
            call = open_calls.pop(thread, None)
            if call is not None:
                call.words += resumed[2]
                call.ended = place
            continue
        found = re.match(r"(\w+)\((.*)", rest)
        if not found:
            continue
        call = Call(found[1], found[2], place, place)
        calls.append(call)
        if rest.endswith("<unfinished ...>"):
            call.ended = 10**12
            open_calls[thread] = call
    return calls


def need_tracer():
    expect(shutil.which("strace"), "this test needs strace, which `./run test` installs")
    tried = subprocess.run(["strace", "-e", "trace=none", "true"], capture_output=True, text=True, check=False)
    expect_equal(tried.returncode, 0, f"this test needs the right to trace a child (ptrace): {tried.stderr}")


def start_traced(directory):
    need_tracer()
    trace = directory / "trace"
    wrapper = ["strace", "-f", "-y", "-s", "4000", "-o", str(trace), "-e", f"trace={CALLS}"]
    return testbed.Server(directory, "--cores", "4", wrapper=wrapper).start(), trace


def requests_of_all_kinds(server):
    """One accepted request after another, of every kind; each with what its answer holds."""
    asked = []

    def change(method, path, body=None):
        request_id = make_request_id()
        answer = server.ask(method, path, body, request_id=request_id)
        expect(answer.status in (200, 201, 202), f"{method} {path}: {answer}")
        asked.append((request_id, f"{method} {path}", answer.json))
        return answer.json

    change("POST", "/v1/projects", {"name": "lab"})
    change("POST", "/v1/projects/lab/deposits", {"amount": "100", "text": "grant"})
    key = change("POST", "/v1/keys", {"user": "alice", "projects": ["lab"], "label": "one"})
    change("DELETE", f"/v1/keys/{key['id']}")
    for run in ("sleep 30", "true", "exit 3"):
        change("POST", "/v1/jobs", {"project": "lab", "run": run, "max_duration": "5m"})
    change("POST", f"/v1/jobs/{asked[-3][2]['id']}/cancel")
    for _ in range(8):
        change("POST", "/v1/jobs", {"project": "lab", "run": "true", "max_duration": "5m"})
    return asked


def is_of_journal(call):
    return "/journal/journal.db" in call.words


def find_arrival(calls, request_id):
    found = [call for call in calls if call.name in RECEIVES and request_id in call.words]
    expect(found, f"the trace does not show the request {request_id}")
    return found[0]


def find_reply(calls, arrival, answer):
    """The call that sent the answer: the first on the network after it came that holds its sequence."""
    mark = f'\\"sequence\\":{answer["sequence"]}'
    found = [call for call in calls if call.began > arrival.ended and call.name in SENDS
             and mark in call.words and "HTTP/1.1 20" in call.words]
    expect(found, f"the trace does not show the answer {answer}")
    return found[0]


def test_sync_before_reply(directory):
    server, trace = start_traced(directory)
    asked = requests_of_all_kinds(server)
    until(lambda: server.read("/v1/domain")["jobs_ended"] == 11, 60, "all jobs have ended")
    expect_equal(server.stop(60), 0, "the exit code after SIGTERM")
    calls = read_calls(trace.read_text(errors="replace"))
    for request_id, what, answer in asked:
        arrival = find_arrival(calls, request_id)
        reply = find_reply(calls, arrival, answer)
        between = [call for call in calls if arrival.ended < call.began and call.ended < reply.began]
        writes = [call for call in between if call.name.startswith("pwrite") and is_of_journal(call)]
        expect(writes, f"{what}: nothing was written to the journal before the answer left")
        syncs = [call for call in between if call.name in SYNCS and is_of_journal(call)
                 and call.began > writes[-1].began]
        expect(syncs, f"{what}: the journal was written and not synced before the answer left: {reply}")
        for call in syncs:
            expect(re.search(r"\)\s+= 0\s*$", call.words), f"{what}: a sync that did not succeed: {call}")
    print(f"        {len(asked)} requests of 6 kinds, {len(calls)} system calls", flush=True)


def test_no_reply_when_syncs_fail(directory):
    """A sync that fails ends the process with 70, and the request it was for is not answered."""
    need_tracer()
    server = testbed.Server(directory, "--cores", "4").start()
    server.make_project("lab")
    tracer = subprocess.Popen(["strace", "-f", "-o", str(directory / "trace"), "-p", str(server.pid()),
                               "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=directory)
    expect("attached" in tracer.stderr.readline(), "strace did not attach to the server")
    request_id, body = make_request_id(), {"project": "lab", "run": "true", "max_duration": "5m"}
    answer = None
    try:
        answer = server.ask("POST", "/v1/jobs", body, request_id=request_id)
    except testbed.Gone:
        pass
    expect(answer is None, f"the sync failed and the request was answered: {answer}")
    code = server.process.wait(30)
    tracer.wait(30)
    tracer.stderr.close()
    server.process.stdout.close()
    expect_equal(code, 70, "the exit code after a failed sync")
    server.start()
    again = server.ask("POST", "/v1/jobs", body, request_id=request_id)
    expect_equal(again.status, 201, f"the repeat after the restart ({again})")
    expect_equal(len(server.rows("/v1/jobs", "jobs")), 1, "jobs after the repeat")
    server.wait_for(again.json["id"], "finished")
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    server.verify_journal()


if __name__ == "__main__":
    testbed.run_tests([test_sync_before_reply, test_no_reply_when_syncs_fail], seconds=180)
