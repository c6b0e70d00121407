#!/usr/bin/env python3
"""Outlives tools/network/up.py for a moment, to end what its Slurms leave behind when that is killed.

    tools/network/guard.py DIRECTORY     with a pipe as its standard input, held open by the one it watches

Daemons of Slurm end with that process, but what they have started for a job (slurmstepd, and the job) does
not, and would wait for them for ever.
"""
import contextlib
import os
import pathlib
import signal
import sys
import time

ORDERLY_SECONDS = 2
SECONDS_MAX = 90


def left(directory):
    """The processes of the Slurms whose configuration is in this directory."""
    mark = f"SLURM_CONF={directory}/slurm-".encode()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if any(each.startswith(mark) for each in (entry / "environ").read_bytes().split(b"\0")):
                yield int(entry.name)


def main(directory):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    began = time.monotonic()
    while time.monotonic() - began < SECONDS_MAX and (found := list(left(directory))):
        if time.monotonic() - began > ORDERLY_SECONDS:
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        time.sleep(0.2)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
