#!/usr/bin/env python3
"""A site in a network namespace of its own, behind a wire that delays, loses and reorders frames and is cut: one way,
both ways, and for long. Skipped where there are no network namespaces."""
import time

import testbed
from network import Link, Node, expect_settled
from test_tls import Authority
from testbed import expect, expect_equal, until
from wire import NoNamespaces, Wire


def far_site(directory, wire):
    """A domain here, and a site of it in the namespace; the parent's API stays on this machine's loopback."""
    Authority(directory).certify(names=f"IP:127.0.0.1,IP:{wire.here}")
    top = Node(directory, "top", engine=False, flags=("--tls-certificate", str(directory / "server.pem"),
                                                     "--tls-key", str(directory / "server.key")))
    top.server.ca = directory / "ca.pem"
    top.start()
    door = Link(top.server, host=wire.here)
    site = Node(directory, "site", top, flags=("--join-ca-file", str(top.server.ca)))
    site.parent_url = f"https://{wire.here}:{door.port}"
    site.server.wrapper = ("ip", "netns", "exec", wire.namespace)
    site.start(top.make_token())
    top.approve("site")
    top.wait_member("site")
    top.server.make_project("lab")
    return top


def runs(directory, job):
    """How often a job of `submit` ran."""
    book = directory / "ran"
    return book.read_text().split().count(job) if book.exists() else 0


def submit(directory, top, seconds, **spec):
    return top.server.submit(f"echo $SUAN_JOB_ID >> {directory}/ran; sleep {seconds}; echo done", max_duration="10m",
                             **spec)


def test_a_wire_that_delays_loses_and_reorders(directory):
    with Wire() as wire:
        top = far_site(directory, wire)
        wire.delay, wire.jitter, wire.loss = 0.020, 0.010, 0.02
        began = time.monotonic()
        jobs = [submit(directory, top, 0.5, resources={"cpus": "0.1"}) for _ in range(12)]
        for job in jobs:
            expect_equal(top.server.wait_for(job)["state"], "finished", f"{job}")
            expect_equal(top.server.ask("GET", f"/v1/jobs/{job}/logs").body, "done\n", f"the log of {job}")
            expect_equal(runs(directory, job), 1, f"how often {job} ran")
        expect(wire.lost > 0 and wire.carried > 100, f"the wire was used: {wire.carried} frames, {wire.lost} lost")
        print(f"    12 jobs in {time.monotonic() - began:.1f} s over 20 ± 10 ms with 2 % of {wire.carried} frames lost")
        wire.jitter, wire.loss = 0.002, 0.0

        def is_measured():
            p50 = top.member("site")["rtt_p50"]
            return p50 and 0.030 < p50 < 0.2
        until(is_measured, 60, f"the round trip is measured: {top.member('site')}")
        expect_settled(top)


def test_cuts_that_nobody_is_told_of(directory):
    with Wire(seed=2) as wire:
        top = far_site(directory, wire)
        wire.delay = 0.005
        # What the site says is lost, what it is told arrives.
        job = submit(directory, top, 2)
        top.server.wait_for(job, "running")
        wire.cut_up = True
        time.sleep(6)
        wire.cut_up = False
        expect_equal(top.server.wait_for(job)["state"], "finished", "after a cut of what it says")
        # The other way, with work that is sent meanwhile.
        wire.cut_down = True
        late = submit(directory, top, 0.2)
        time.sleep(5)
        wire.cut_down = False
        expect_equal(top.server.wait_for(late)["state"], "finished", "what was sent into a cut")
        # Both ways, for longer than either side waits.
        long = submit(directory, top, 5)
        top.server.wait_for(long, "running")
        wire.cut_up = wire.cut_down = True
        until(lambda: not top.member("site")["connected"], 60, "the silence is noticed")
        expect_equal(top.server.job(long)["state"], "running", "nothing is known of it meanwhile")
        wire.cut_up = wire.cut_down = False
        top.wait_member("site", seconds=60)
        expect_equal(top.server.wait_for(long)["state"], "finished", "after a long cut")
        for each in (job, late, long):
            expect_equal(runs(directory, each), 1, f"how often {each} ran")
        expect_settled(top)


if __name__ == "__main__":
    try:
        with Wire():
            pass
    except NoNamespaces as why:
        print(f"  skipped: no network namespaces here ({why})")
        raise SystemExit(0) from None
    testbed.run_tests([test_a_wire_that_delays_loses_and_reorders, test_cuts_that_nobody_is_told_of])
