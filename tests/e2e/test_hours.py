#!/usr/bin/env python3
"""Prices by the hour: work waits for a better one, and each hour is charged by its rate, on every level."""
import datetime
import subprocess

import testbed
from network import expect_settled, three_levels
from testbed import SUAN, Server, expect, expect_equal, until

DEAR, CHEAP = 200, 50  # Percent of the list price.


def site_file(directory, name="site.yaml"):
    """Dear in this hour and the next, cheap in all others; clean power at one hour of the day."""
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    rates = [DEAR if (each - hour) % 24 < 2 else CHEAP for each in range(24)]
    carbon = [100 if (each - hour) % 24 == 4 else 600 for each in range(24)]
    path = directory / name
    path.write_text('site: {name: here, region: cn-sh, utc_offset: "+00:00"}\n'
                    f"prices: {{core_hour: 10, rates: {rates}}}\n"
                    f"energy: {{pue: 1.25, carbon: {carbon}}}\n")
    return path


class Desk:
    def __init__(self, directory):
        self.directory = directory
        self.server = Server(directory, "--site-file", str(site_file(directory))).start()
        self.server.make_project("lab")

    def cli(self, *words, wanted=0, spec=None):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), "SUAN_URL": self.server.url,
               "SUAN_KEY": self.server.key}
        done = subprocess.run([SUAN, *words], env=env, input=spec, text=True, capture_output=True, timeout=30,
                              check=False)
        expect_equal(done.returncode, wanted, f"exit code of {words} ({done.stdout} {done.stderr})")
        return done.stdout + done.stderr


def waiting(window, hours=12):
    deadline = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return (f"project: lab\nrun: 'true'\nmax_duration: 1h\n"
            f"start: {{window: {window}, deadline: {deadline:%Y-%m-%dT%H:%M:%SZ}}}\n")


def in_hours(hours):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return f"{now:%Y-%m-%dT%H}:00:00Z"


def test_work_waits_for_a_better_hour(directory):
    desk = Desk(directory)
    for window, at, words in (("cheapest", in_hours(2), ("for a cheaper hour", "then 5 CNY/h at here/", "75 % less")),
                              ("greenest", in_hours(4), ("for a greener hour", "then 125 g/kWh at here/",
                                                         "now 750 g/kWh at here/", "83 % less"))):
        plan = desk.cli("plan", "-f", "-", spec=waiting(window))
        expect(f"it would wait until {at}" in plan, plan)
        for each in words:
            expect(each in plan, f"{each} in {plan}")
        job = desk.cli("run", "-d", "-y", "-f", "-", spec=waiting(window)).split()[0]
        shown = desk.server.job(job)
        expect_equal(shown["state"], "queued", "its state")
        expect(f"waits until {at} {words[0]}" in shown["reason"], shown["reason"])
        desk.server.kill()
        desk.server.start()
        why = desk.cli("why", job)
        expect(f"it waits until {at}" in why and "without start.window" in why, why)
        desk.cli("stop", job)
        expect_equal(desk.server.wait_for(job)["state"], "cancelled", "its state")
    # Without another hour before its deadline it starts at once.
    job = desk.cli("run", "-d", "-y", "-f", "-", spec=waiting("cheapest", hours=0.9)).split()[0]
    expect_equal(desk.server.wait_for(job)["exit_code"], 0, "its exit code")


def test_bounds_are_held_against_this_hour(directory):
    desk = Desk(directory)
    spec = "project: lab\nrun: 'true'\nmax_duration: 10m\n"
    refused = desk.cli("run", "-d", "-y", "-f", "-", wanted=3, spec=spec + "price: {max_hourly_cost: 15}\n")
    expect("dearer than the hourly limit" in refused, refused)
    desk.cli("run", "-y", "-f", "-", spec=spec + "price: {max_hourly_cost: 20}\n")
    refused = desk.cli("run", "-d", "-y", "-f", "-", wanted=3, spec=spec + "energy: {max_carbon: 400}\n")
    expect("not as clean as asked" in refused and "400 g/kWh at most" in refused, refused)
    desk.cli("run", "-y", "-f", "-", spec=spec + "energy: {max_carbon: 750}\n")
    wrong = desk.cli("plan", "-f", "-", wanted=3, spec="project: lab\nrun: x\nstart: {window: cheapest}\n")
    expect("start.window needs start.deadline" in wrong, wrong)


def check_charge(charge):
    expect(abs(charge["pricing_quantity"] / charge["consumed_quantity"] - DEAR / 100) < 0.001, f"its hours: {charge}")
    due = float(charge["list_unit_price"]) * charge["pricing_quantity"]
    expect(abs(float(charge["billed_cost"]) - due) < 1e-4, f"the bill: {charge}")


def test_each_level_charges_the_hours_as_the_site_weighs_them(directory):
    country, province, site = three_levels(directory, site_file=site_file(directory, "hours.yaml"))
    job = country.server.submit("sleep 1", max_duration="10m")
    expect_equal(country.server.wait_for(job)["exit_code"], 0, "its exit code")
    charges = []
    for each in (country, province, site):
        until(lambda each=each: len(each.server.read("/v1/costs")["charges"]) == 1, 30, "the charge")
        charges.append(each.server.read("/v1/costs")["charges"][0])
        check_charge(charges[-1])
    expect_equal({each["billed_cost"] for each in charges}, {charges[0]["billed_cost"]}, "the charges of all levels")
    expect_settled(country, province, site)


if __name__ == "__main__":
    testbed.run_tests([test_work_waits_for_a_better_hour, test_bounds_are_held_against_this_hour,
                       test_each_level_charges_the_hours_as_the_site_weighs_them])
