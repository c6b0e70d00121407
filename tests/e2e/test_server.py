#!/usr/bin/env python3
"""The server as a process: its start and its end, its stream of changes, and what it refuses."""
import concurrent.futures
import json
import socket
import subprocess
import time

import testbed
from testbed import SUAN, Gone, expect, expect_equal, make_request_id

DAY = 24 * 3600
BODY_BYTES_MAX = 1 << 20


def start(directory):
    server = testbed.Server(directory, "--cores", "4").start()
    server.make_project("lab", "1000")
    return server


def fail_to_start(server, state, port):
    done = subprocess.run([SUAN, "serve", "--state", str(state), "--listen", f"127.0.0.1:{port}"], text=True,
                          capture_output=True, timeout=60, check=False, cwd=server.directory)
    expect_equal(done.returncode, 1, f"the exit code of a server that cannot start ({done.stdout}{done.stderr})")
    expect("ready" not in done.stdout and "suan serve: " in done.stderr, f"what it says: {done.stdout}{done.stderr}")
    return done.stderr


def test_one_server_to_a_state_directory(directory):
    server = start(directory)
    job = server.submit("sleep 0.5; exit 4")
    says = fail_to_start(server, server.state, 0)
    expect(str(server.state) in says, f"the reason names no directory: {says!r}")
    expect_equal(server.wait_for(job)["exit_code"], 4, "a job beside a second server")
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    server.verify_journal("--head", str(server.state / "heads"))


def test_one_server_to_a_port(directory):
    server = start(directory)
    says = fail_to_start(server, directory / "other", server.port)
    expect(str(server.port) in says, f"the reason names no port: {says!r}")
    expect_equal(server.ask("GET", "/healthz").status, 200, "the first server afterwards")


def test_graceful_stop(directory):
    """SIGTERM and SIGINT end it with 0; jobs go on, and the next start has their true ends."""
    server = start(directory)
    mark = directory / "mark"
    during = server.submit(f"until [ -e {mark} ]; do sleep 0.05; done; echo late; exit 6")
    while_away = server.submit("sleep 1; echo away; exit 8")
    for job in (during, while_away):
        server.wait_for(job, "running")
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    time.sleep(1.5)
    server.start()
    expect_equal(server.wait_for(while_away)["exit_code"], 8, "the exit code of a job that ended while nobody served")
    expect_equal(server.job(during)["state"], "running", "the other job after the restart")
    server.process.send_signal(2)
    expect_equal(server.process.wait(30), 0, "the exit code after SIGINT")
    server.process.stdout.close()
    server.start()
    mark.touch()
    expect_equal(server.wait_for(during)["exit_code"], 6, "the exit code of a job over two restarts")
    for job, text in ((during, "late\n"), (while_away, "away\n")):
        expect_equal(server.ask("GET", f"/v1/jobs/{job}/logs").body, text, f"the log of {job}")
    for job in (during, while_away):
        attempts = server.job(job)["tasks"][0]["attempts"]
        expect_equal(len(attempts), 1, f"attempts of {job}")
    testbed.check_money(server, {"lab": testbed.money("1000")})
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    server.verify_journal("--head", str(server.state / "heads"))


def test_a_machine_that_went_down(directory):
    """Server and attempts are gone at once: the attempts are lost, and their jobs end or run again."""
    server = start(directory)
    once = server.submit("sleep 100")
    again = server.submit("sleep 1; exit 3", retry={"on_events": ["interruption", "site-lost"], "duration": "1h"})
    for job in (once, again):
        server.wait_for(job, "running")
    server.kill()
    testbed.end_processes(directory)
    server.start()
    lost = server.wait_for(once, seconds=60)
    ends = [each["end"] for each in lost["tasks"][0]["attempts"]]
    expect_equal((lost["state"], ends), ("failed", ["lost"]), f"a job without retry ({lost['reason']})")
    expect_equal(server.wait_for(again, seconds=60)["exit_code"], 3, "a job that runs again")
    attempts = [(each["number"], each["end"]) for each in server.job(again)["tasks"][0]["attempts"]]
    expect_equal(attempts, [(1, "lost"), (2, "exited")], "the attempts of a job that ran again")
    testbed.check_money(server, {"lab": testbed.money("1000")})
    expect_equal(server.stop(), 0, "the exit code after SIGTERM")
    server.verify_journal()


def test_stream_of_changes(directory):
    server = start(directory)
    jobs = [server.submit("true") for _ in range(5)]
    for job in jobs:
        server.wait_for(job)
    last = server.read("/v1/domain")["sequence"]
    whole = testbed.read_past_events(server, last)
    expect_equal(whole, sorted(set(whole)), "the order of the stream")
    several = next(n for n, place in enumerate(whole) if place[1] > 0)  # In the middle of a record.
    for n in (several - 1, several, len(whole) // 2):
        rest = testbed.read_past_events(server, last, after=testbed.print_place(whole[n]))
        expect_equal(rest, whole[n + 1:], f"the stream after {whole[n]}")
    rest = testbed.read_past_events(server, last, after=last - 1)
    expect_equal(rest, [place for place in whole if place[0] == last][:1], "the stream after a record")
    events = testbed.read_events(server, last)
    job = server.submit("true")
    place = next(events)
    expect(place[0] > last, f"a change that is told live: {place}")
    server.wait_for(job)
    for query in ("after=x", "after=-1", "after=1.", "job=nonsense", "since=1"):
        expect_equal(server.ask("GET", f"/v1/events?{query}").status, 400, f"GET /v1/events?{query}")


def test_a_slow_reader_misses_nothing(directory):
    """A reader who falls far behind is not cut off, and is told of everything once."""
    server = start(directory)
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.connect(("127.0.0.1", server.port))
        link.sendall(f"GET /v1/events?after=0 HTTP/1.1\r\nHost: suan\r\n"
                     f"Authorization: Bearer {server.key}\r\n\r\n".encode())
        link.settimeout(20)
        text, seen = b"", []
        with concurrent.futures.ThreadPoolExecutor(16) as crowd:  # So that one sync serves many.
            jobs = [crowd.submit(server.submit, "true", max_duration="1m") for _ in range(400)]
            while not all(job.done() for job in jobs):
                text += link.recv(2048)
                time.sleep(0.1)
        server.wait_for(jobs[-1].result())
        last = server.read("/v1/domain")["sequence"]
        while not seen or seen[-1][0] < last:
            expect(is_connected(server, link.getsockname()[1]), f"the reader was cut off at {seen[-1:]}")
            text += link.recv(65536)
            *lines, text = text.split(b"\n")
            seen += [tuple(int(each) for each in line[4:].split(b".")) for line in lines if line.startswith(b"id: ")]
    seen = [place for place in seen if place[0] < last]
    expect_equal(seen, [place for place in testbed.read_past_events(server, last) if place[0] < last],
                 "what a slow reader was told")
    expect_equal(server.ask("GET", "/v1/me").status, 200, "the server afterwards")


def is_connected(server, client_port):
    """Whether the server's end of a connection is still open, by /proc/net/tcp."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            local, remote, state = line.split()[1:4]
            ports = tuple(int(each.split(":")[1], 16) for each in (local, remote))
            if ports == (server.port, client_port):
                return state == "01"
    return False


def test_pages_lose_nothing(directory):
    """A list read in pages of any size is the list: also where one record made several rows."""
    server = start(directory)
    jobs = [server.submit("sleep 0.1", array=3) if n == 0 else server.submit("sleep 0.1") for n in range(4)]
    for job in jobs:
        server.wait_for(job)
    for path, name in (("/v1/postings", "postings"), ("/v1/costs", "charges"), ("/v1/jobs", "jobs")):
        whole = server.read(f"{path}?limit=500")[name]
        for limit in (1, 2, 3, 5, len(whole)):
            rows, mark = [], ""
            while not rows or mark:
                page = server.read(f"{path}?limit={limit}{'&before=' + mark if mark else ''}")
                rows, mark = rows + page[name], page["next"]
                expect(len(rows) <= len(whole), f"{path} in pages of {limit} has rows twice")
            expect_equal(rows, whole, f"{path} in pages of {limit}")


def test_told_means_usable(directory):
    """What was acknowledged can be used by the next request, and a revoked key by none."""
    server = start(directory)
    for n in range(30):
        server.make_project(f"lab-{n}", "10")
        key = server.change("POST", "/v1/keys", {"user": f"user-{n}", "projects": [f"lab-{n}"], "label": ""})
        body = {"project": f"lab-{n}", "run": "true", "max_duration": "1m"}
        job = server.ask("POST", "/v1/jobs", body, key=key["secret"], request_id=make_request_id())
        expect_equal(job.status, 201, f"a job of a project and by a key just made ({job})")
        server.change("DELETE", f"/v1/keys/{key['id']}")
        expect_equal(server.ask("GET", "/v1/me", key=key["secret"]).status, 401, "a request by a key just revoked")


def test_what_is_refused(directory):
    server = start(directory)
    body = {"project": "lab", "run": "true", "max_duration": "1m"}
    used = make_request_id()
    first = server.ask("POST", "/v1/jobs", body, request_id=used)
    cases = [
        ("no id", 400, "request_id_missing", lambda: server.ask("POST", "/v1/jobs", body)),
        ("an id that is no UUIDv7", 400, "request_id_missing",
         lambda: server.ask("POST", "/v1/jobs", body, request_id="7c9e6679-7425-40de-944b-e07fc1f90ae7")),
        ("an old id", 422, "request_too_old",
         lambda: server.ask("POST", "/v1/jobs", body, request_id=make_request_id(time.time() - 8 * DAY))),
        ("an id of the future", 422, "request_in_future",
         lambda: server.ask("POST", "/v1/jobs", body, request_id=make_request_id(time.time() + DAY))),
        ("another body", 422, "request_body_differs",
         lambda: server.ask("POST", "/v1/jobs", {**body, "run": "false"}, request_id=used)),
        ("another route", 422, "request_body_differs",
         lambda: server.ask("POST", "/v1/projects", {"name": "x"}, request_id=used)),
        ("an unknown query parameter", 400, "query_unknown", lambda: server.ask("GET", "/v1/jobs?stat=failed")),
        ("an unknown state", 400, "query_invalid", lambda: server.ask("GET", "/v1/jobs?state=done")),
        ("a body that is no JSON", 400, None,
         lambda: server.ask("POST", "/v1/projects", "{", request_id=make_request_id())),
        ("an unknown field", 422, "spec_invalid",
         lambda: server.ask("POST", "/v1/jobs", {**body, "runn": "x"}, request_id=make_request_id())),
        ("no key", 401, "unauthenticated", lambda: server.ask("GET", "/v1/jobs", key="suan_wrong")),
        ("an unknown job", 404, "job_unknown", lambda: server.ask("GET", "/v1/jobs/job-999")),
        ("an unknown path", 404, None, lambda: server.ask("GET", "/v1/nothing")),
        ("another method", 405, None, lambda: server.ask("POST", "/v1/me", {})),
        ("more than there is", 409, "credit_insufficient",
         lambda: server.ask("POST", "/v1/jobs", {**body, "resources": {"cpus": 4}, "max_duration": "8000h"},
                            request_id=make_request_id())),
    ]
    for what, status, code, ask in cases:
        answer = ask()
        expect_equal(answer.status, status, f"the status of {what} ({answer})")
        if code is not None:
            expect_equal(answer.code, code, f"the code of {what} ({answer})")
        expect_equal(answer.headers.get("Content-Type", "").split(";")[0], "application/problem+json",
                     f"the type of the answer to {what}")
    again = server.ask("POST", "/v1/jobs", body, request_id=used)
    expect_equal(again.body, first.body, "the answer to the same request")
    expect_equal(len(server.rows("/v1/jobs", "jobs")), 1, "jobs after what was refused")


def test_large_requests(directory):
    server = start(directory)
    fits = {"project": "lab", "run": "true #" + "x" * (BODY_BYTES_MAX // 2), "max_duration": "1m"}
    answer = server.ask("POST", "/v1/jobs", fits, request_id=make_request_id())
    expect(answer.status in (201, 422), f"half a MiB of script: {answer}")
    try:
        answer = server.ask("POST", "/v1/jobs", {**fits, "run": "x" * (BODY_BYTES_MAX + 1)},
                            request_id=make_request_id())
        expect_equal(answer.status, 413, "the status of a body that is too large")
    except Gone:  # It may close before all was sent; then at least its word came first.
        expect_equal(status_of_large(server), 413, "the status of a body that is announced as too large")
    answer = server.ask("GET", "/v1/me", headers={"X-Long": "x" * 20000})
    expect_equal(answer.status, 431, "the status of headers that are too large")
    expect_equal(server.ask("GET", "/healthz").status, 200, "the server afterwards")


def status_of_large(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as link:
        link.sendall(f"POST /v1/jobs HTTP/1.1\r\nHost: suan\r\nContent-Length: {BODY_BYTES_MAX * 2}\r\n\r\n".encode())
        return int(link.recv(4096).split()[1])


def test_openapi_tells_the_truth(directory):
    """The document parses, its references lead somewhere, and every path in it answers its method."""
    server = start(directory)
    document = server.ask("GET", "/v1/openapi.json", key="").json
    expect(document["openapi"].startswith("3."), f"openapi: {document['openapi']}")
    text = json.dumps(document)
    for reference in set(part.split('"')[0] for part in text.split('"$ref": "')[1:]):
        place = document
        for name in reference.removeprefix("#/").split("/"):
            expect(name in place, f"{reference} leads nowhere")
            place = place[name]
    job = server.submit("true")
    server.wait_for(job)
    asked = 0
    for path, methods in document["paths"].items():
        real = path.replace("{job}", job).replace("{project}", "lab").replace("{key}", "key-1")
        for method in (each for each in methods if each in ("get", "post", "put", "patch", "delete")):
            asked += 1
            status = status_of(server, method.upper(), real)
            expect(status not in (404, 405) and status < 500, f"{method} {real}: {status}")
            if methods[method].get("security") == []:
                continue  # For anybody.
            expect_equal(server.ask(method.upper(), real, "{}", key="suan_wrong").status, 401,
                         f"{method} {real} with a wrong key")
    expect(asked > 20, f"only {asked} routes")


def status_of(server, method, path):
    """Of a request that changes nothing: the status line is enough, as streams do not end."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as link:
        link.settimeout(10)
        link.sendall(f"{method} {path} HTTP/1.1\r\nHost: suan\r\nAuthorization: Bearer {server.key}\r\n"
                     f"Content-Length: 2\r\n\r\n{{}}".encode())
        return int(link.recv(4096).split()[1])


if __name__ == "__main__":
    testbed.run_tests([test_one_server_to_a_state_directory, test_one_server_to_a_port, test_graceful_stop,
                       test_a_machine_that_went_down, test_stream_of_changes, test_a_slow_reader_misses_nothing,
                       test_pages_lose_nothing, test_told_means_usable,
                       test_what_is_refused, test_large_requests, test_openapi_tells_the_truth], seconds=180)
