#!/usr/bin/env python3
"""Spot work pays less, leaves its place when other work needs it, and goes on where it saved its state."""
import testbed
from network import expect_settled, three_levels
from testbed import Server, check_money, expect, expect_equal, until

SITE = "site: {name: here, region: cn-sh}\ncores: 2\nprices: {core_hour: 10, spot: 40}\n"
BOTH_CORES = {"resources": {"cpus": "2"}, "max_duration": "10m"}
SPOT = {**BOTH_CORES, "price": {"spot_policy": "spot"}}


def site_file(directory):
    path = directory / "site.yaml"
    path.write_text(SITE)
    return path


def counting(directory, steps):
    """Counts to `steps`, two in a second; on USR1 it notes how far it came, and goes on from there."""
    return (f"cd {directory}\n"
            "echo started >> starts\n"
            "n=$(cat saved 2>/dev/null || echo 0)\n"
            "trap 'echo $n > saved; exit 0' USR1\n"
            f"while ((n < {steps})); do sleep 0.5 & wait $! || true; n=$((n + 1)); done\n"
            "echo $n > counted\n")


def ends_of(job):
    """How the attempts ended that ran: one that found no room was none."""
    return [each["end"] for each in job["tasks"][0]["attempts"] if each["started"]]


def test_spot_work_leaves_and_goes_on(directory):
    server = Server(directory, "--site-file", str(site_file(directory))).start()
    server.make_project("lab")
    spot = server.submit(counting(directory, 20), checkpoint={"signal": "USR1@5s"}, **SPOT)
    server.wait_for(spot, "running")
    until(lambda: (directory / "starts").exists(), 10, "it has started")
    wanted = server.submit("sleep 1", **BOTH_CORES)
    until(lambda: server.job(spot)["state"] in ("stopping", "queued"), 10, "it was told to stop")
    server.kill()  # In the middle of it.
    server.start()
    expect_equal(server.wait_for(wanted)["exit_code"], 0, "the exit code of what needed its place")
    done = server.wait_for(spot)
    expect_equal(done["exit_code"], 0, f"its exit code: {done}")
    expect_equal((directory / "starts").read_text().split(), ["started"] * 2, "how often it started")
    expect_equal((directory / "counted").read_text().strip(), "20", "how far it came")
    saved = int((directory / "saved").read_text())
    expect(0 <= saved < 20, f"it had counted to {saved} when it was stopped")
    charges = server.rows("/v1/costs", "charges")
    prices = [float(each["list_unit_price"]) for each in charges if each["job"] == spot]
    expect_equal(prices, [4, 4], f"what a core cost for an hour in both of its attempts: {charges}")
    check_money(server, {"lab": 1000})


def test_who_waits_is_told_and_spot_work_says_why_it_waits(directory):
    server = Server(directory, "--site-file", str(site_file(directory))).start()
    server.make_project("lab")
    refused = server.ask("POST", "/v1/jobs", {"project": "lab", "run": "x", "price": {"spot_policy": "cheap"}})
    expect_equal(refused.status, 422, f"the answer to a wrong spot_policy: {refused}")
    expect("spot_policy" in str(refused.json), f"its place: {refused}")
    first = server.submit("sleep 100", **SPOT)
    server.wait_for(first, "running")
    wanted = server.submit("sleep 2", **BOTH_CORES)
    until(lambda: server.job(first)["state"] in ("stopping", "queued"), 10, "it was told to stop")
    leaves = server.job(first)
    expect(leaves["state"] != "stopping" or leaves["reason"] == "stopping, as other work needs its place",
           f"it says why it stops: {leaves['reason']}")
    waits = until(lambda: "kept for it" in server.job(wanted)["reason"] and server.job(wanted) or
                  server.job(wanted)["state"] != "queued" and server.job(wanted), 10, "it is told when")
    expect(waits["state"] != "queued" or "free by" in waits["reason"], waits["reason"])
    until(lambda: "other work needed its place; waits to be tried again" in server.job(first)["reason"] or
          server.job(first)["state"] == "running" and server.read(f"/v1/jobs/{first}/why"), 20, "it says why it waits")
    expect_equal(server.wait_for(wanted)["exit_code"], 0, "its exit code")
    server.wait_for(first, "running")
    server.change("POST", f"/v1/jobs/{first}/cancel")
    server.wait_for(first, "cancelled")
    check_money(server, {"lab": 1000})


def test_it_leaves_at_every_level(directory):
    country, province, site = three_levels(directory, site_file=site_file(directory))
    spot = country.server.submit("trap 'exit 0' TERM; sleep 3 & wait", **SPOT)
    country.server.wait_for(spot, "running")
    # For work of the country: which says so to the province, and that to the site.
    wanted = country.server.submit("sleep 1", **BOTH_CORES)
    expect_equal(country.server.wait_for(wanted, seconds=90)["exit_code"], 0, "the exit code of what needed its place")
    done = country.server.wait_for(spot, seconds=90)
    expect_equal(ends_of(done), ["preempted", "exited"], f"its attempts: {done}")
    # For work of the site itself.
    spot = country.server.submit("sleep 4", **SPOT)
    country.server.wait_for(spot, "running")
    site.server.make_project("own")
    own = site.server.submit("sleep 1", project="own", **BOTH_CORES)
    expect_equal(site.server.wait_for(own)["exit_code"], 0, "the exit code of the site's own work")
    done = country.server.wait_for(spot, seconds=90)
    expect_equal(ends_of(done), ["preempted", "exited"], f"its attempts: {done}")
    expect_equal(done["exit_code"], 0, "its exit code")
    expect_settled(country, province, site)


if __name__ == "__main__":
    testbed.run_tests([test_spot_work_leaves_and_goes_on, test_who_waits_is_told_and_spot_work_says_why_it_waits,
                       test_it_leaves_at_every_level])
