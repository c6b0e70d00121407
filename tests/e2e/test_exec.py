#!/usr/bin/env python3
"""Commands beside a running job and copies to and from it, against the real server and its engine."""
import os
import pty
import select
import signal
import subprocess
import threading
import time

import testbed
from testbed import SUAN, expect, expect_equal, until
from test_cli import Desk

LOOP = "until [ -e stop ]; do sleep 0.05; done"


def start_job(desk, run=LOOP, *flags):
    job = desk.submit(run, *flags)
    desk.server.wait_for(job, "running")
    return job


def test_a_command_beside_a_job(directory):
    desk = Desk(directory)
    job = start_job(desk, LOOP, "-e", "WHO=you")
    done = desk.run("exec", job, "--", "echo $WHO $SUAN_JOB_ID ${PWD##*/}; echo wrong >&2; exit 7", wanted=7)
    expect_equal(done.stdout, f"you {job} work\n", "its output")
    expect_equal(done.stderr, "wrong\n", "its errors")
    words = desk.run("exec", job, "--", "printf", "%s|", "a b", "$HOME").stdout
    expect_equal(words, "a b|$HOME|", "several words, passed on as they are")
    big = "".join(f"{n}\n" for n in range(300_000))
    expect_equal(desk.run("exec", job, "--", "cat", stdin=big).stdout, big, "two megabytes there and back")
    expect_equal(desk.run("exec", job, "--", "yes | head -c 5000000 | wc -c").stdout, "5000000\n", "a pipe")
    done = desk.run("exec", job, "--", "no-such-command", "x", wanted=127)
    expect("cannot start no-such-command: No such file" in done.stderr, done.stderr)
    desk.run("exec", job, "--", "touch stop")
    expect_equal(desk.server.wait_for(job)["exit_code"], 0, "the exit code of the job")
    done = desk.run("exec", job, "--", "true", wanted=3)
    expect("does not run now" in done.stderr, done.stderr)
    done = desk.run("exec", "job-99", "--", "true", wanted=3)
    expect("no such job" in done.stderr, done.stderr)
    desk.run("exec", job, wanted=2)


def test_only_who_may_stop_a_job(directory):
    desk = Desk(directory)
    job = start_job(desk)
    for user, role, wanted in (("alice", "consumer", 0), ("audrey", "auditor", 3), ("mallory", "consumer", 3)):
        projects = ["--project", "lab"] if user == "alice" else []
        key = desk.run("key", "create", user, "--role", role, *projects).stdout.strip().splitlines()[-1]
        desk.run("exec", job, "--", "true", wanted=wanted, env={"SUAN_KEY": key})


def test_a_terminal(directory):
    desk = Desk(directory)
    job = start_job(desk)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(SUAN, [SUAN, "exec", job, "--", "bash", "--norc"], {**desk.env, "TERM": "xterm", "PS1": "$ "})
    heard = b""

    def hear(words, seconds=20):
        nonlocal heard
        end = time.monotonic() + seconds
        while words not in heard:
            expect(time.monotonic() < end, f"the terminal shows no {words!r}: {heard!r}")
            if select.select([terminal], [], [], 0.1)[0]:
                heard += os.read(terminal, 65536)
        heard = heard[heard.index(words) + len(words):]
    os.write(terminal, b"tty >/dev/null && echo on a term''inal $TERM\r")
    hear(b"on a terminal xterm")
    os.write(terminal, b"sleep 100\r")
    hear(b"sleep 100")
    time.sleep(0.5)
    os.write(terminal, b"\x03")
    os.write(terminal, b"echo still h''ere\r")
    hear(b"still here")
    os.write(terminal, b"exit 9\r")
    hear(b"exit")
    _, status = os.waitpid(pid, 0)
    expect_equal(os.waitstatus_to_exitcode(status), 9, "the exit code of the shell")
    expect_equal(desk.server.job(job)["state"], "running", "the job")


def test_ctrl_c_reaches_the_command(directory):
    desk = Desk(directory)
    job = start_job(desk)
    going = subprocess.Popen([SUAN, "exec", job, "--", "trap 'echo caught; exit 4' INT; echo ready; "
                              "while true; do sleep 0.05; done"], env=desk.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True)
    expect_equal(going.stdout.readline(), "ready\n", "the command runs")
    going.send_signal(signal.SIGINT)
    expect_equal(going.stdout.read(), "caught\n", "what the command says")
    expect_equal(going.wait(20), 4, "its exit code")
    going = subprocess.Popen([SUAN, "exec", job, "--", "trap '' INT; echo ready; sleep 100"], env=desk.env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    expect_equal(going.stdout.readline(), "ready\n", "the command runs")
    going.send_signal(signal.SIGINT)
    time.sleep(0.3)
    going.send_signal(signal.SIGINT)
    expect_equal(going.wait(20), 130, "the exit code after the second Ctrl-C")


def test_who_ends_with_whom(directory):
    desk = Desk(directory)
    job = start_job(desk)

    def begin():
        going = subprocess.Popen([SUAN, "exec", job, "--", "echo $$; sleep 1000"], env=desk.env, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return going, int(going.stdout.readline())

    def is_gone(pid):
        return not os.path.exists(f"/proc/{pid}")
    going, pid = begin()
    going.kill()
    until(lambda: is_gone(pid), 20, "the command ends with its client")
    going.wait()
    going, pid = begin()
    desk.server.kill()
    until(lambda: is_gone(pid), 20, "the command ends with the server")
    expect_equal(going.wait(40), 4, "the exit code of its client")
    expect("lost" in going.stderr.read(), "the client says so")
    desk.server.start(desk.server.port)
    expect_equal(desk.server.job(job)["state"], "running", "the job outlives the server")
    going, pid = begin()
    desk.run("stop", job)
    until(lambda: is_gone(pid), 20, "the command ends with the job")
    # A stop sends SIGTERM to all there is; who comes first is open.
    expect(going.wait(20) in (3, 128 + signal.SIGTERM), f"the exit code of its client: {going.returncode}")
    desk.server.wait_for(job, "cancelled")


def test_copies(directory):
    desk = Desk(directory)
    job = start_job(desk)
    data = os.urandom(3_000_000)
    (directory / "data").write_bytes(data)
    os.chmod(directory / "data", 0o750)
    desk.run("cp", "data", f"{job}:")
    desk.run("exec", job, "--", "mkdir in; test $(stat -c %a data) = 750")
    desk.run("cp", "data", f"{job}:in/again")
    desk.run("cp", f"{job}:in/again", "back")
    expect_equal((directory / "back").read_bytes(), data, "a file there and back")
    expect_equal(os.stat(directory / "back").st_mode & 0o777, 0o750, "its mode")
    (directory / "empty").write_bytes(b"")
    desk.run("cp", "empty", f"{job}:data")
    desk.run("cp", f"{job}:data", "data")
    expect_equal((directory / "data").read_bytes(), b"", "an empty file replaces another")
    tree = directory / "tree"
    (tree / "a b").mkdir(parents=True)
    (tree / "a b" / "算").write_bytes(data)
    (tree / "link").symlink_to("a b/算")
    desk.run("cp", "-r", "tree", f"{job}:in")
    desk.run("cp", "-r", f"{job}:in/tree", "tree2")
    expect_equal((directory / "tree2" / "a b" / "算").read_bytes(), data, "a directory there and back")
    expect_equal(os.readlink(directory / "tree2" / "link"), "a b/算", "a link in it")
    for words in (("cp", "-r", "tree", f"{job}:in"), ("cp", "-r", f"{job}:in/tree", "tree2/.."),
                  ("cp", f"{job}:none", "x"), ("cp", f"{job}:in", "x"), ("cp", "data", f"{job}:none/x"),
                  ("cp", "none", f"{job}:")):
        expect("error: " in desk.run(*words, wanted=1).stderr, f"{words}")
    for words in (("cp", "tree", f"{job}:"), ("cp", "a", "b"), ("cp", f"{job}:a", f"{job}:b"), ("cp", "a")):
        desk.run(*words, wanted=2)
    expect(not (directory / "x").exists(), "what failed leaves nothing")
    left = desk.run("exec", job, "--", "ls -A . in").stdout
    expect(".suan-cp" not in left, f"no drafts in the job: {left}")
    expect(not [each for each in os.listdir(directory) if each.startswith(".suan-cp")], "and none here")


def test_a_copy_that_is_cut_leaves_the_old_file(directory):
    desk = Desk(directory)
    job = start_job(desk)
    desk.run("exec", job, "--", "echo old > file")
    fifo = directory / "large"
    with open(fifo, "wb") as file:
        file.truncate(1 << 34)  # 16 GiB of nothing, which takes a while.
    going = subprocess.Popen([SUAN, "cp", str(fifo), f"{job}:file"], env=desk.env, stderr=subprocess.PIPE)
    until(lambda: desk.run("exec", job, "--", "stat -c %s *.suan-cp 2>/dev/null || true").stdout.strip()
          not in ("", "0"), 30, "the copy is under way")
    going.kill()
    going.wait()
    time.sleep(0.5)
    expect_equal(desk.run("exec", job, "--", "cat file").stdout, "old\n", "the file that was there")
    going = subprocess.Popen([SUAN, "cp", str(fifo), f"{job}:file"], env=desk.env, stderr=subprocess.PIPE)
    time.sleep(0.5)
    desk.server.kill()
    expect(going.wait(60) in (3, 4), "the copy ends with the server")
    desk.server.start(desk.server.port)
    expect_equal(desk.run("exec", job, "--", "cat file").stdout, "old\n", "the file that was there")


def test_many_at_once(directory):
    desk = Desk(directory)
    job = start_job(desk)
    codes = []

    def one(number):
        done = subprocess.run([SUAN, "exec", job, "--", f"sleep 0.2; exit {number}"], env=desk.env,
                              stdin=subprocess.DEVNULL, check=False, timeout=120)
        codes.append(done.returncode == number)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(20, 44)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(len(codes) == 24 and all(codes), f"{codes.count(False)} of 24 ended wrongly")


if __name__ == "__main__":
    testbed.run_tests([test_a_command_beside_a_job, test_only_who_may_stop_a_job, test_a_terminal,
                       test_ctrl_c_reaches_the_command, test_who_ends_with_whom, test_copies,
                       test_a_copy_that_is_cut_leaves_the_old_file, test_many_at_once])
