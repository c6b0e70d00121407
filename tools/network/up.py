#!/usr/bin/env python3
"""Three levels of domains on this machine, ten jobs with ten wishes, and a site that is cut off for a while.

    tools/network/up.py DIRECTORY [--seconds N] [--once]

`./run up --network` calls it. Everything it keeps is in DIRECTORY; whatever it starts ends with it. What is
promised and does not hold ends it with 1.
"""
import argparse
import fcntl
import pathlib
import signal
import subprocess
import sys

import places
import speak
from cut import cut_and_mend
from speak import say, tell
from testbed import Broken, Gone
from wishes import need_project, run_wishes


class Stopped(BaseException):
    """Somebody wants an end of it."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def stop(number, _):
    raise Stopped(number)


def claim(directory):
    """The lock that one network at a time has; None where another has it."""
    lock = open(directory / "up.lock", "w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return lock


def describe(network):
    """Where each domain is and whose key opens it, in lines."""
    def key(place):
        path = place.state / "operator.key"
        return path.relative_to(places.ROOT) if path.is_relative_to(places.ROOT) else path

    lines = [f"{place.name:<12}{place.url}   {key(place)}" for place in network.places.values()]
    first = network.national
    lines += ["", f"export SUAN_URL={first.url} SUAN_KEY=$(cat {key(first)})",
              "./run suan find --cpus 1; ./run suan run -p demo -f examples/wishes/07-either-chip.yaml"]
    return lines


def tell_places(path):
    say("the domains, each with its console, API and key:")
    tell()
    for line in path.read_text().splitlines():
        tell(line)
    tell()


def run(network, once):
    network.start()
    places.draw(network)
    path = network.directory / "places"
    path.write_text("\n".join(describe(network)) + "\n")
    network.stop_jobs()  # Of a time before, if that was ended in the middle.
    need_project(network)
    run_wishes(network)
    cut_and_mend(network)
    if once:
        say("all of it holds")
        return
    tell_places(path)
    say("Ctrl-C stops it")
    while True:
        signal.pause()


def fail(network, error):
    print(f"run: {error}", file=sys.stderr)
    for line in network.complaints() if network else ():
        print(f"     {line}", file=sys.stderr)
    return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--once", action="store_true")
    asked = parser.parse_args()
    speak.begin(asked.seconds)
    asked.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = claim(asked.directory)
    if lock is None:
        say("already running")
        if (asked.directory / "places").exists():
            tell_places(asked.directory / "places")
        return 0
    network = None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        (asked.directory / "places").unlink(missing_ok=True)
        network = places.Network(asked.directory)
        run(network, asked.once)
        status = 0
    except Stopped as stopped:
        status = 128 + stopped.number
    except (Broken, Gone, RuntimeError, OSError, subprocess.SubprocessError) as error:
        status = fail(network, error)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if network:
        network.stop()
    (asked.directory / "places").unlink(missing_ok=True)
    say("the domains and the Slurms have stopped")
    return status


if __name__ == "__main__":
    sys.exit(main())
