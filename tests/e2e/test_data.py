#!/usr/bin/env python3
"""Inputs, outputs and working directories, by the real program and the real rclone: on one machine, and
through three levels whose links are cut."""
import os
import pathlib
import random
import subprocess
import time
from decimal import Decimal

import testbed
from network import make_stores, three_levels
from test_slurm import slurm, write_site
from testbed import SUAN, expect, expect_equal, until

JOB = """
name: mover
project: lab
resources: {cpus: 1}
max_duration: 10m
"""


def suan(server, *words, wanted=0, key=None, **rest):
    env = {**os.environ, "SUAN_URL": server.url, "SUAN_KEY": key or server.key, "NO_COLOR": "1",
           "HOME": str(server.directory), "XDG_STATE_HOME": str(server.directory / "cli")}
    done = subprocess.run([SUAN, *words], env=env, text=True, capture_output=True, timeout=120, check=False,
                          **rest)
    expect_equal(done.returncode, wanted, f"suan {' '.join(words)}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done


def start(directory):
    disk, stores = make_stores(directory)
    server = testbed.Server(directory, "--cores", "2", "--stores", str(stores)).start()
    server.make_project("lab")
    return disk, server


def test_inputs_come_and_outputs_stay(directory):
    disk, server = start(directory)
    (disk / "bucket/lab/corpus").mkdir(parents=True)
    (disk / "bucket/lab/corpus/a").write_text("one\n")
    spec = directory / "run.yaml"
    spec.write_text(JOB + """
inputs:
  corpus: {source: "bucket:corpus"}
  model: {source: "models:llama"}
outputs:
  out: {to: "bucket:run"}
run: cat corpus/a model/8b | tee out/all
""")
    done = suan(server, "run", "-y", "-f", str(spec))
    expect_equal(done.stdout, "one\nweights\n", "what the job says")
    kept = list((disk / "bucket/lab/run").iterdir())
    expect_equal([each.name for each in kept], ["job-1-0-1"], "one directory for the attempt")
    expect_equal((kept[0] / "all").read_text(), "one\nweights\n", "what was kept")
    log = suan(server, "logs", "--stderr", "job-1").stdout
    for line in ("suan: input corpus: from bucket:corpus", "suan: input model: 8 B in 1 file",
                 "kept in bucket:run/job-1-0-1"):
        expect(line in log, f"{line!r} in {log}")
    pool = server.read("/v1/pools")["pools"][0]["pool"]
    expect_equal((pool["moves_data"], pool["stores"]), (True, ["bucket", "models"]), "what the pool offers")


def test_a_plan_says_how_much_there_is_to_bring(directory):
    disk, server = start(directory)
    (disk / "bucket/lab/corpus").mkdir(parents=True)
    (disk / "bucket/lab/corpus/a").write_bytes(random.randbytes(2_000_000))
    spec = directory / "run.yaml"
    spec.write_text(JOB + 'inputs: {data: {source: "bucket:corpus"}}\nrun: ls data\n')
    plan = suan(server, "plan", "-f", str(spec)).stdout
    expect("2.0 MB in 1 file to bring first, nobody knows how quickly" in plan, plan)
    suan(server, "run", "-y", "-f", str(spec))
    plan = suan(server, "plan", "-f", str(spec)).stdout
    expect("2.0 MB in 1 file to bring first, about 1s as quickly as lately" in plan, plan)
    asked = {"project": "lab", "run": "ls", "max_duration": "1m", "inputs": {
        "data": {"source": "bucket:corpus"}, "more": {"source": "bucket:none"}}}
    transfer = server.ask("POST", "/v1/plans", asked).json["transfer"]
    expect_equal((transfer["pool"], transfer["bytes"], transfer["inputs"][0]["files"]), ("here/local", 2_000_000, 1),
                 f"what is to bring: {transfer}")
    expect("directory not found" in transfer["inputs"][1]["problem"] and "/none" not in transfer["text"],
           f"what is not there is named: {transfer}")
    # Another project has a directory of its own, and without a seat in this one nothing is said of its data.
    server.make_project("other")
    key = server.change("POST", "/v1/keys", {"user": "bob", "projects": ["other"], "label": "x"})["secret"]
    transfer = server.ask("POST", "/v1/plans", {**asked, "project": "other"}, key=key).json["transfer"]
    expect("directory not found" in transfer["inputs"][0]["problem"], f"of others: {transfer}")
    refused = server.ask("POST", "/v1/plans", asked, key=key)
    expect_equal((refused.status, refused.code), (404, "project_unknown"), f"without a seat: {refused}")


def test_what_is_missing_is_named(directory):
    disk, server = start(directory)
    spec = directory / "run.yaml"
    spec.write_text(JOB + 'inputs: {data: {source: "cold:x"}}\nrun: "true"\n')
    refused = suan(server, "run", "-y", "-f", str(spec), wanted=3)
    expect("store" in refused.stderr, refused.stderr)
    found = server.ask("POST", "/v1/find", {"run": "x", "inputs": {"data": {"source": "cold:x"}}}).json
    expect_equal([each["reason"] for each in found["rejected"]], ["store_missing"], "why not")
    expect_equal([each["text"] for each in found["changes"]], ["without inputs and outputs"], "what would help")
    spec.write_text(JOB + 'inputs: {data: {source: "bucket:none"}}\nrun: "true"\n')
    failed = suan(server, "run", "-y", "-f", str(spec), wanted=3)
    expect("the input data could not be brought" in failed.stderr, failed.stderr)
    expect_equal(server.job("job-1")["cost"], "0", "what it cost")
    wrong = suan(server, "run", "-y", "-p", "lab", "--", "true", wanted=3, key="suan_" + "0" * 40)
    expect("key" in wrong.stderr, wrong.stderr)
    for line, place in (('inputs: {/data: {source: "bucket:x"}}', "(/inputs/~1data)"),
                        ('inputs: {data: {source: "s3://b/x"}}', "(/inputs/data/source)"),
                        ('outputs: {out: {to: "/srv"}}', "(/outputs/out/to)")):
        spec.write_text(JOB + line + '\nrun: "true"\n')
        refused = suan(server, "plan", "-f", str(spec), wanted=3)
        expect(place in refused.stderr, f"{place} in {refused.stderr}")


def test_projects_do_not_see_each_other(directory):
    disk, server = start(directory)
    server.make_project("other")
    (disk / "bucket/other").mkdir()
    (disk / "bucket/other/secret").write_text("secret\n")
    spec = directory / "run.yaml"
    for source in ("bucket:other/secret", "bucket:secret"):
        spec.write_text(JOB + f'inputs: {{data: {{source: "{source}"}}}}\nrun: cat data/secret\n')
        failed = suan(server, "run", "-y", "-f", str(spec), wanted=3)
        expect("could not be brought" in failed.stderr and "secret\n" not in failed.stdout, failed.stderr)
    spec.write_text(JOB + 'inputs: {data: {source: "bucket:../other/secret"}}\nrun: "true"\n')
    expect("no plain path" in suan(server, "plan", "-f", str(spec), wanted=3).stderr, "dots are refused")


def test_a_working_directory_comes_along(directory):
    _, server = start(directory)
    work = directory / "work"
    (work / "deep").mkdir(parents=True)
    (work / ".git").mkdir()
    (work / ".git/config").write_text("x")
    (work / "main.sh").write_text("echo main; cat deep/data\n")
    (work / "deep/data").write_text("data\n")
    os.symlink("deep/data", work / "link")
    done = suan(server, "run", "-y", "-p", "lab", "-t", "10m", "--workdir", str(work), "--",
                "bash main.sh; cat link; ls -a | tr '\\n' ' '")
    expect_equal(done.stdout, "main\ndata\ndata\n. .. deep link main.sh ", "what the job finds")
    uploads = list((server.state / "uploads").iterdir())
    expect_equal(len(uploads), 1, "packed and brought once")
    spec = work / "run.yaml"
    spec.write_text("project: lab\nmax_duration: 10m\nworkdir: .\nrun: bash main.sh\n")
    for _ in range(2):
        done = suan(server, "run", "-y", "-f", "run.yaml", cwd=work)
        expect_equal(done.stdout, "main\ndata\n", "from its file")
    expect_equal(len(list((server.state / "uploads").iterdir())), 2, "the same one is brought once")
    plan = suan(server, "plan", "-f", "run.yaml", cwd=work)
    expect("starts now" in plan.stdout, plan.stdout)
    spec.write_text("project: lab\nworkdir: nowhere\nrun: ls\n")
    wrong = suan(server, "run", "-y", "-f", "run.yaml", cwd=work, wanted=2)
    expect("there is no directory 'nowhere' here" in wrong.stderr and "run.yaml:2:1" in wrong.stderr, wrong.stderr)
    left = [each for each in pathlib.Path("/tmp").glob("suan-workdir-*") if each.stat().st_mtime > time.time() - 60]
    expect_equal(left, [], "what the CLI leaves behind")


def test_uploads_over_the_api(directory):
    _, server = start(directory)
    server.change("POST", "/v1/keys", {"user": "bob", "projects": ["lab"], "label": "x"})
    packed = subprocess.run(["tar", "-cz", "-C", str(directory), "stores.conf"], capture_output=True, check=True).stdout
    digest = subprocess.run(["sha256sum"], input=packed, capture_output=True, check=True).stdout.decode()[:64]
    spec = {"project": "lab", "run": "ls", "max_duration": "1m", "workdir": {"sha256": digest, "bytes": len(packed)}}
    refused = server.ask("POST", "/v1/jobs", spec, request_id=testbed.make_request_id())
    expect_equal((refused.status, refused.code), (422, "workdir_missing"), f"without it: {refused}")
    target = f"/v1/uploads/{digest}"
    expect_equal(server.read(target)["bytes"], 0, "before")
    expect_equal(server.ask("PUT", target, packed[:10]).json["bytes"], 10, "a part")
    again = server.ask("PUT", target, packed[:10])
    expect_equal((again.status, again.code), (409, "upload_offset"), f"not where it goes on: {again}")
    expect_equal(server.ask("PUT", target + "?offset=10", packed[10:]).json["bytes"], len(packed), "the rest")
    job = server.change("POST", "/v1/jobs", spec)["id"]
    expect_equal(server.wait_for(job)["state"], "finished", "with it")
    expect_equal(suan(server, "logs", job).stdout, "stores.conf\n", "what it finds")
    for bad in ("abc", digest.upper(), "..%2f..%2fx"):
        expect(server.ask("PUT", f"/v1/uploads/{bad}", b"x").status in (400, 404), bad)
    # What is in it is not what it is called.
    liar = "0" * 64
    server.ask("PUT", f"/v1/uploads/{liar}", packed)
    spec["workdir"] = {"sha256": liar, "bytes": len(packed)}
    job = server.change("POST", "/v1/jobs", spec)["id"]
    ended = server.wait_for(job)
    expect_equal(ended["state"], "failed", "its state")
    expect("it is not what was packed" in ended["reason"], ended["reason"])
    expect_equal(server.ask("PUT", target, b"x", key="nobody").status, 401, "without a key")
    text = server.ask("POST", "/v1/plans", {"run": "x", "workdir": "."})
    expect_equal(text.json["pointer"], "/workdir", f"a path: {text}")


def test_a_kill_while_data_moves(directory):
    disk, stores = make_stores(directory)
    (disk / "bucket/lab").mkdir()
    (disk / "bucket/lab/big").write_bytes(random.Random(1).randbytes(3_000_000))
    env = {**os.environ, "RCLONE_BWLIMIT": "1M"}
    server = testbed.Server(directory, "--cores", "2", "--stores", str(stores), env=env).start()
    server.make_project("lab")
    began = time.monotonic()
    job = server.submit("sleep 0.5; cp data/big out", max_duration="10m", inputs={"data": {"source": "bucket:big"}},
                        outputs={"out": {"to": "bucket:run"}})
    until(lambda: list((server.state / "engine/attempts").glob("*/work/data/*")), 10, "it moves")
    server.kill()
    server.start()
    ended = server.wait_for(job)
    expect_equal(ended["state"], "finished", f"its state: {ended['reason']}")
    took = time.monotonic() - began
    task = ended["tasks"][0]["attempts"][-1]
    used = Decimal(ended["cost"]) * 3600 / Decimal("0.15")
    expect(used < 2 < took, f"charged for {used} s of {took} s, of which it ran half a second: {task}")
    expect_equal((disk / "bucket/lab/run/job-1-0-1/big").stat().st_size, 3_000_000, "what was kept")


def test_through_three_levels_and_a_cut(directory):
    disk, stores = make_stores(directory)
    country, province, site = three_levels(directory, site_flags=("--stores", str(stores)))
    pool = country.server.read("/v1/pools")["pools"][0]["pool"]
    expect_equal((pool["moves_data"], pool["stores"]), (True, ["bucket", "models"]), "what the country sees")
    work = directory / "work"
    work.mkdir()
    (work / "big").write_bytes(random.Random(2).randbytes(24_000_000))
    spec = work / "run.yaml"
    spec.write_text(JOB + """
workdir: .
inputs: {model: {source: "models:llama"}}
outputs: {out: {to: "bucket:run"}}
run: echo $SUAN_JOB_ID; sha256sum < big | tee out/sum; cat model/8b
""")
    # It is another job's number at the site.
    site.server.make_project("own")
    site.server.wait_for(site.server.submit("true", project="own", max_duration="1m"))
    before = site.link.bytes
    job = suan(country.server, "run", "-y", "-d", "-f", "run.yaml", cwd=work).stdout.strip()
    until(lambda: site.link.bytes - before > 2_000_000, 30, "it is on its way")
    site.link.cut()
    time.sleep(1)
    site.link.mend()
    ended = country.server.wait_for(job, seconds=90)
    expect_equal(ended["state"], "finished", f"its state: {ended['reason']}")
    digest = subprocess.run(["sha256sum"], stdin=(work / "big").open("rb"), capture_output=True,
                            check=True).stdout.decode()
    log = suan(country.server, "logs", job).stdout
    expect_equal(log, f"{job}\n{digest}weights\n", "what the job says")
    owner = disk / "bucket/lab@country@province/run"
    expect_equal([each.name for each in owner.iterdir()], [f"{job}-0-1"], "whose it is, and which attempt")
    for node in (province, site):
        expect_equal(len(list((node.server.state / "uploads").iterdir())), 1, f"what {node.name} keeps")
    # What was kept is whose it is, as the site says over two levels.
    asked = {"project": "lab", "run": "ls", "max_duration": "1m", "inputs": {"run": {"source": f"bucket:run/{job}-0-1"}}}
    transfer = country.server.ask("POST", "/v1/plans", asked).json["transfer"]
    expect_equal((transfer["pool"], transfer["bytes"], transfer["inputs"][0].get("problem", "")),
                 ("province.site.site/local", len(digest), ""), f"what there is to bring: {transfer}")
    site.link.cut()
    until(lambda: not province.member("site")["connected"], 10, "the cut is noticed")
    text = country.server.ask("POST", "/v1/plans", asked).json["transfer"]["text"]
    expect("cannot be reached" in text, f"while it is away: {text}")
    site.link.mend()


def test_a_slurm_site_moves_data(directory):
    disk, stores = make_stores(directory)
    with slurm(directory) as here:
        site_file = write_site(directory, here)
        site_file.write_text(site_file.read_text() + f"\nstores: {stores}\n")
        server = testbed.Server(directory, "--site-file", str(site_file)).start()
        server.make_project("lab")
        work = directory / "work"
        work.mkdir()
        (work / "main.sh").write_text("cat model/8b | tee out/all; echo $SLURMD_NODENAME >&2\n")
        spec = work / "run.yaml"
        spec.write_text(JOB + """
workdir: .
inputs: {model: {source: "models:llama"}}
outputs: {out: {to: "bucket:run"}}
run: bash main.sh
""")
        expect_equal(suan(server, "run", "-y", "-f", "run.yaml", cwd=work).stdout, "weights\n", "what the job says")
        expect_equal((disk / "bucket/lab/run/job-1-0-1/all").read_text(), "weights\n", "what was kept")
        plan = suan(server, "plan", "-f", "run.yaml", cwd=work).stdout
        expect("8 B in 1 file to bring first" in plan, plan)
        server.stop()
        tested = suan(server, "site", "test", str(site_file))
        expect("store models: it can be listed" in tested.stdout, tested.stdout)


if __name__ == "__main__":
    testbed.run_tests([test_inputs_come_and_outputs_stay, test_a_plan_says_how_much_there_is_to_bring, test_what_is_missing_is_named,
                       test_projects_do_not_see_each_other, test_a_working_directory_comes_along,
                       test_uploads_over_the_api, test_a_kill_while_data_moves,
                       test_through_three_levels_and_a_cut, test_a_slurm_site_moves_data])
