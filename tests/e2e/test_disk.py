#!/usr/bin/env python3
"""A disk that fills and a disk that turns read-only below a running server: nothing acknowledged is lost.

Needs root and the right to mount: the state directory is an ext4 in a file, mounted by a loop device.
"""
import contextlib
import os
import subprocess
import time

import testbed
from testbed import expect, expect_equal, make_request_id, until

MIB = 1 << 20
DISK_BYTES = 192 * MIB
SPACE_LOW_BYTES = 64 * MIB  # As docs/operating.md says.
ANSWER_SECONDS_MAX = 6  # It says 2; the machine may be busy.


@contextlib.contextmanager
def mounted(directory):
    """A file system of its own, so that it can be full or broken without anyone else's harm."""
    expect(os.geteuid() == 0, "this test needs root, to mount a file system of its own")
    image, place = directory / "image", directory / "disk"
    place.mkdir()
    with open(image, "wb") as file:
        file.truncate(DISK_BYTES)
    for command in (["mkfs.ext4", "-q", "-m", "0", str(image)], ["mount", "-o", "loop", str(image), str(place)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        expect_equal(done.returncode, 0, f"this test needs `{' '.join(command)}` ({done.stderr})")
    try:
        yield place
    finally:
        testbed.end_processes(directory)
        for _ in range(50):
            if subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)


def free_bytes(place):
    room = os.statvfs(place)
    return room.f_bavail * room.f_frsize


def fill(place, leave_bytes):
    """Fills the disk with a file, up to so many free bytes; to the last block for 0."""
    filler = place / "filler"
    with open(filler, "ab") as file:
        with contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), file.tell(), max(free_bytes(place) - leave_bytes, 4096))
    if leave_bytes == 0:
        with contextlib.suppress(OSError), open(place / "filler-end", "ab", buffering=0) as file:
            while True:
                file.write(b"x" * 1024)
    return filler


def make_room(place):
    for name in ("filler", "filler-end"):
        (place / name).unlink(missing_ok=True)


def start_on(place, directory):
    server = testbed.Server(directory, "--cores", "8")
    server.state = place / "state"
    server.start()
    server.make_project("lab", "1000")
    return server


def ask_on_a_full_disk(server, path, body, request_id):
    """Asks for a change, which is done or refused in a bounded time, and then to be repeated under the same id."""
    asked = time.monotonic()
    answer = server.ask("POST", path, body, request_id=request_id, seconds=10)
    took = time.monotonic() - asked
    expect(took < ANSWER_SECONDS_MAX, f"an answer after {took:.1f} s: {answer}")
    if answer.status == 503:
        expect(answer.code in ("journal_full", "outcome_unknown"), f"with a full disk: {answer}")
        expect("same id" in answer.json["detail"] or "nearly full" in answer.json["detail"], f"what to do: {answer}")
        expect("Retry-After" in answer.headers, "503 without Retry-After")
    else:
        expect(answer.status in (201, 202, 409), f"with a full disk: {answer}")
    return answer


def submit_when_taken(server, body, request_id=None):
    """Submits, as often as it is refused for want of space; the room is measured once a second."""
    request_id = request_id or make_request_id()

    def submit():
        answer = server.ask("POST", "/v1/jobs", body, request_id=request_id)
        expect(answer.status in (201, 503), f"once there is room: {answer}")
        return answer if answer.status == 201 else None
    return until(submit, 10, "new work is taken again").json["id"]


def test_little_space_refuses_new_work(directory):
    with mounted(directory) as place:
        server = start_on(place, directory)
        mark = directory / "mark"
        running = [server.submit(f"until [ -e {mark} ]; do sleep 0.05; done; exit {n}", max_duration="10m")
                   for n in (0, 5)]
        for job in running:
            server.wait_for(job, "running")
        fill(place, SPACE_LOW_BYTES // 2)
        body = {"project": "lab", "run": "true", "max_duration": "10m"}
        request_id = make_request_id()
        refused = until(lambda: (lambda answer: answer if answer.status == 503 else None)(
            server.ask("POST", "/v1/jobs", body, request_id=make_request_id())), 10, "new work is refused")
        expect_equal(refused.code, "journal_full", f"the code of {refused}")
        expect("Retry-After" in refused.headers, "503 without Retry-After")
        for path, each in (("/v1/projects", {"name": "other"}), ("/v1/keys", {"user": "bob", "projects": ["lab"]}),
                           ("/v1/projects/lab/deposits", {"amount": "1", "text": ""}), ("/v1/jobs", body)):
            answer = server.ask("POST", path, each, request_id=request_id if path == "/v1/jobs" else make_request_id())
            expect_equal((answer.status, answer.code), (503, "journal_full"), f"POST {path} with little space")
        mark.touch()
        expect_equal([server.wait_for(job)["exit_code"] for job in running], [0, 5], "exit codes of what ran")
        expect_equal(server.read("/v1/projects")["projects"][0]["held"], "0", "held when all has ended")
        make_room(place)
        server.wait_for(submit_when_taken(server, body, request_id), "finished")
        testbed.check_money(server, {"lab": testbed.money("1000")})
        expect_equal(server.stop(), 0, "the exit code after SIGTERM")
        server.verify_journal("--head", str(server.state / "heads"))


def test_no_space_at_all(directory):
    """Appends fail: nothing is answered that is not durable, and all goes on when there is room."""
    with mounted(directory) as place:
        server = start_on(place, directory)
        mark = directory / "mark"
        running = [server.submit(f"until [ -e {mark} ]; do sleep 0.05; done; exit {n}", max_duration="10m")
                   for n in (0, 5)]
        for job in running:
            server.wait_for(job, "running")
        acknowledged, unsure = list(running), []
        fill(place, 0)
        body = {"project": "lab", "run": "true", "max_duration": "10m"}
        end = time.monotonic() + 6
        while time.monotonic() < end:  # At first the log of the journal may have room in its blocks.
            request_id = make_request_id()
            answer = ask_on_a_full_disk(server, "/v1/jobs", body, request_id)
            if answer.status == 201:
                acknowledged.append(answer.json["id"])
            else:
                unsure.append(request_id)
        expect(unsure, "with a full disk every request was accepted")
        answer = ask_on_a_full_disk(server, "/v1/jobs", body, unsure[0])
        expect_equal(answer.code, "journal_full", "a repeat while the disk is full")
        mark.touch()
        for job in running:  # The disk may have taken its last blocks for the end of a job.
            ask_on_a_full_disk(server, f"/v1/jobs/{job}/cancel", None, make_request_id())
        time.sleep(3)
        expect(server.is_alive(), f"the server ended with a full disk: {server.complaint()}")
        expect_equal(server.ask("GET", "/healthz").status, 200, "GET /healthz with a full disk")
        make_room(place)
        acknowledged += [submit_when_taken(server, body, request_id) for request_id in unsure]
        expect_equal(len(set(acknowledged)), len(acknowledged), "jobs of requests repeated under their ids")
        until(lambda: all(server.job(job)["state"] in testbed.ENDED for job in acknowledged), 60,
              "all acknowledged jobs have ended")
        for job, code in zip(running, (0, 5)):
            view = server.job(job)
            expect_equal(view["exit_code"], code, f"the exit code of {job}, which ended on a full disk ({view})")
        server.wait_for(submit_when_taken(server, body), "finished")
        there = {each["id"] for each in server.rows("/v1/jobs", "jobs")}
        expect(there >= set(acknowledged), "an acknowledged job is not there")
        expect_equal(len(there), len(acknowledged) + 1, "jobs: each request made one")
        testbed.check_money(server, {"lab": testbed.money("1000")})
        server.kill()
        server.start()
        after = {each["id"]: each["state"] for each in server.rows("/v1/jobs", "jobs")}
        expect_equal(set(after), there, "jobs after a restart")
        expect_equal(server.stop(), 0, "the exit code after SIGTERM")
        server.verify_journal("--head", str(server.state / "heads"))


def test_start_on_a_full_disk(directory):
    """A start without room says why and ends; with room it goes on where it was."""
    with mounted(directory) as place:
        server = start_on(place, directory)
        job = server.submit("true")
        server.wait_for(job, "finished")
        server.kill()
        fill(place, 0)
        code = None
        try:
            server.start()
        except testbed.Broken:
            code = server.process.returncode
        if code is None:
            expect_equal(server.ask("GET", f"/v1/jobs/{job}").status, 200, "a job read on a full disk")
            server.kill()
        else:
            expect_equal(code, 1, "the exit code of a start that found no room")
            expect("suan serve: " in server.complaint(), f"the reason: {server.complaint()!r}")
        make_room(place)
        server.start()
        expect_equal(server.job(job)["state"], "finished", f"{job} after the restart")
        expect_equal(server.stop(), 0, "the exit code after SIGTERM")
        server.verify_journal("--head", str(server.state / "heads"))


def test_read_only_below_a_running_server(directory):
    """Not one more acknowledgement; exit code 70, or refusals; and what was acknowledged is there."""
    with mounted(directory) as place:
        server = start_on(place, directory)
        acknowledged = [server.submit("sleep 0.2", max_duration="10m") for _ in range(5)]
        broken = subprocess.run(["mount", "-o", "remount,abort", str(place)], capture_output=True, text=True,
                                check=False)
        until(lambda: not is_writable(place), 10, f"the disk is read-only ({broken.stderr})")
        body = {"project": "lab", "run": "true", "max_duration": "10m"}
        for _ in range(20):
            if not server.is_alive():
                break
            with contextlib.suppress(testbed.Gone):
                answer = server.ask("POST", "/v1/jobs", body, request_id=make_request_id(), seconds=5)
                expect(answer.status == 503, f"on a disk that takes nothing: {answer}")
            time.sleep(0.1)
        if not server.is_alive():
            expect_equal(server.process.wait(10), 70, "the exit code on a disk that takes nothing")
            expect("uncertain" in server.complaint(), f"the reason: {server.complaint()!r}")
        else:
            server.kill()
        testbed.end_processes(place)
        remount(directory, place)
        server.start()
        there = {each["id"] for each in server.rows("/v1/jobs", "jobs")}
        expect(there >= set(acknowledged), f"acknowledged {acknowledged}, there {sorted(there)}")
        until(lambda: all(server.job(each)["state"] in testbed.ENDED for each in there), 60, "all jobs have ended")
        server.wait_for(server.submit("true"), "finished")
        testbed.check_money(server, {"lab": testbed.money("1000")})
        expect_equal(server.stop(), 0, "the exit code after SIGTERM")
        server.verify_journal("--head", str(server.state / "heads"))


def is_writable(place):
    try:
        (place / "probe").write_text("x")
        return True
    except OSError:
        return False


def remount(directory, place):
    """What a reboot does: the file system is checked and mounted again."""
    def unmount():
        return subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0
    until(unmount, 20, "the disk can be unmounted", pause=0.2)
    subprocess.run(["e2fsck", "-fy", str(directory / "image")], capture_output=True, check=False)
    done = subprocess.run(["mount", "-o", "loop", str(directory / "image"), str(place)], capture_output=True,
                          text=True, check=False)
    expect_equal(done.returncode, 0, f"the disk can be mounted again ({done.stderr})")


if __name__ == "__main__":
    testbed.run_tests([test_little_space_refuses_new_work, test_no_space_at_all, test_start_on_a_full_disk,
                       test_read_only_below_a_running_server], seconds=180)
