#!/usr/bin/env python3
"""A domain whose jobs run in a real Slurm: from a site file to an exit code, through kill -9."""
import contextlib
import os
import pathlib
import subprocess
import sys

import testbed
from testbed import ROOT, SUAN, expect, expect_equal, until

sys.path.insert(0, str(ROOT / "tests" / "slurm"))
import centre  # noqa: E402

SITE = """\
site: {{name: north, city: 上海, region: cn-sh}}
engine: slurm
prices: {{card_hour: 10, core_hour: 0.1}}
slurm:
{way}
  shared_directory: {shared}
  poll_interval: 500ms
  partitions:
    - {{name: main, card_hour: 20, dedicated: true}}
    - {{name: extra}}
  gres: {{"gpu:fake910b": Ascend910B3}}
"""


@contextlib.contextmanager
def slurm(directory):
    absent = centre.missing()
    expect(not absent, absent)
    os.chmod(directory, 0o755)  # slurmrestd reads in there as a user of its own.
    here = centre.Centre(directory / "slurm", 16, name="test", nodes=centre.TEST_NODES,
                         partitions=centre.TEST_PARTITIONS, select="CR_Core_Memory")
    try:
        here.start()
        yield here
    finally:
        here.stop()


def write_site(directory, here, by_commands=False):
    shared = directory / "shared"
    shared.mkdir(exist_ok=True)
    way = (f"  configuration: {here.root}/slurm.conf" if by_commands else
           f"  rest: {here.place}\n  user: {here.user}\n  jwt_key_file: {here.root}/jwt.key")
    path = directory / "site.yaml"
    path.write_text(SITE.format(way=way, shared=shared))
    return path


def suan(server, *words, **rest):
    variables = dict(os.environ, SUAN_URL=server.url, SUAN_KEY=server.key, HOME=str(server.directory))
    return subprocess.Popen([SUAN, *words], env=variables, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **rest)


def test_a_job_in_slurm_outlives_kill_9_of_the_server(directory):
    with slurm(directory) as here:
        site = write_site(directory, here)
        server = testbed.Server(directory, "--site-file", str(site)).start()
        server.make_project("lab", "1000")
        pools = {each["pool"]["name"]: each["pool"] for each in server.read("/v1/pools")["pools"]}
        expect_equal(sorted(pools), ["extra-k100", "main-ascend910b3"], "the pools")
        main = pools["main-ascend910b3"]
        expect_equal((main["chip"], main["nodes"], main["is_firm"], main["price"]["card_hour"]),
                     ("Ascend910B3", 2, True, "20"), "what is said of a dedicated partition")
        expect_equal((pools["extra-k100"]["is_firm"], pools["extra-k100"]["price"]["card_hour"]),
                     (False, "10"), "what is said of a shared partition")

        mark = directory / "mark"
        script = f"echo on $SLURMD_NODENAME; until [ -e {mark} ]; do sleep 0.1; done; echo late; exit 6"
        job = server.submit(script, resources={"accelerators": "Ascend910B3:2"})
        short = server.submit("sleep 2; echo away; exit 8")
        for each in (job, short):
            server.wait_for(each, "running")
        server.kill()
        until(lambda: "away" in "".join(p.read_text() for p in (directory / "shared").glob("attempts/*/stdout")),
              30, "the job ends without a server")
        server.start()
        expect_equal(server.wait_for(short)["exit_code"], 8, "the code of a job that ended while nobody served")
        expect_equal(server.job(job)["state"], "running", "the other job after the restart")
        mark.touch()
        expect_equal(server.wait_for(job)["exit_code"], 6, "the code of a job that outlived its server")
        log = suan(server, "logs", str(job))
        said, _ = log.communicate(timeout=30)
        expect(said.startswith("on n") and said.endswith("late\n"), f"its log: {said!r}")

        running = suan(server, "run", "-y", "--", "bash", "-c", "echo by the CLI; exit 7")
        said, why = running.communicate(timeout=60)
        expect_equal((running.returncode, "by the CLI" in said), (7, True), f"suan run ({said}{why})")
        expect_equal(server.stop(), 0, "the exit code after SIGTERM")
        server.verify_journal("--head", str(server.state / "heads"))


def test_the_commands_serve_as_well(directory):
    with slurm(directory) as here:
        site = write_site(directory, here, by_commands=True)
        server = testbed.Server(directory, "--site-file", str(site)).start()
        server.make_project("lab", "1000")
        job = server.submit("echo $SUAN_ACCELERATORS; exit 4", resources={"accelerators": "k100:1"})
        expect_equal(server.wait_for(job)["exit_code"], 4, "the exit code")
        stopped = server.submit("sleep 600")
        server.wait_for(stopped, "running")
        server.change("POST", f"/v1/jobs/{stopped}/cancel", {})
        expect_equal(server.wait_for(stopped)["state"], "cancelled", "a job that was stopped")


def test_flags_and_files_that_contradict_each_other(directory):
    site = directory / "site.yaml"
    site.write_text("site: {name: north}\nprices: {core_hour: 0.2}\n")

    def serve(*flags):
        return subprocess.run([SUAN, "serve", "--state", str(directory / "state"), "--site-file", str(site), *flags],
                              text=True, capture_output=True, timeout=60, check=False)

    done = serve("--price", "0.3")
    expect_equal(done.returncode, 2, "the exit code")
    expect("--price contradicts" in done.stderr, f"what it says: {done.stderr}")
    site.write_text("engine: slrum\n")
    done = serve()
    expect_equal(done.returncode, 2, "the exit code of a wrong file")
    expect("site.yaml:1:" in done.stderr, f"what it says: {done.stderr}")
    expect(not pathlib.Path(directory / "state").exists(), "a state directory was made all the same")


def test_site_files_are_written_once_and_tested(directory):
    with slurm(directory) as here:
        def suan_site(*words):
            return subprocess.run([SUAN, "site", *words], env=here.environment, text=True, capture_output=True,
                                  timeout=120, check=False, cwd=directory)

        expect_equal(suan_site("init", "-o", "site.yaml").returncode, 0, "the exit code of init")
        path = directory / "site.yaml"
        first = path.read_text()
        expect("{name: main" in first and "gpu:fake910b" in first, f"the first file: {first}")
        again = suan_site("init", "-o", "site.yaml")
        expect_equal((again.returncode, path.read_text()), (1, first), f"init over a file ({again.stderr})")
        done = suan_site("test", "site.yaml")
        expect_equal(done.returncode, 1, f"a test of a directory that is not there ({done.stdout})")
        expect("FAIL  shared directory" in done.stdout and "try: " in done.stdout, f"what it says: {done.stdout}")
        shared = directory / "shared"
        shared.mkdir()
        path.write_text(first.replace("/shared/suan", str(shared)))
        done = suan_site("test", "site.yaml")
        expect_equal((done.returncode, "FAIL" in done.stdout), (0, False), f"a test that holds ({done.stdout})")
        path.write_text("site: {nmae: x}\n")
        expect_equal(suan_site("test", "site.yaml").returncode, 2, "the exit code for a wrong file")


if __name__ == "__main__":
    testbed.run_tests([test_a_job_in_slurm_outlives_kill_9_of_the_server, test_the_commands_serve_as_well,
                       test_site_files_are_written_once_and_tested, test_flags_and_files_that_contradict_each_other], seconds=180)
