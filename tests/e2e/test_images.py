#!/usr/bin/env python3
"""Jobs inside images, by the real program and the real container runtime: what they see and leave, what
outlives the server, and what is refused where images are not run."""
import json
import pathlib
import re
import shutil
import subprocess
import time

import testbed
from testbed import SUAN, expect, expect_equal, until


def make_image(directory):
    """A root file system of this machine's bash and a few programs, and the same as an archive."""
    root = directory / "images" / "tiny"
    for name in ("bin", "etc", "tmp", "proc", "dev", "sys"):
        (root / name).mkdir(parents=True)
    for name in ("bash", "cat", "sleep", "head", "tr", "id"):
        program = pathlib.Path(shutil.which(name)).resolve()
        shutil.copy2(program, root / "bin" / name)
        libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+)", libraries):
            place = root / library[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy2(pathlib.Path(library).resolve(), place)
    (root / "etc/os-release").write_text("NAME=tiny\n")
    subprocess.run(["tar", "-czf", directory / "images/tiny.tar.gz", "-C", root, "."], check=True)
    return directory / "images"


def start(directory, *flags):
    images = make_image(directory)
    server = testbed.Server(directory, "--cores", "2", "--images", str(images), *flags).start()
    server.make_project("lab", "1000")
    pool = server.read("/v1/pools")["pools"][0]["pool"]
    expect(pool["runs_images"], f"this test needs root and runc: {server.read('/v1/domain')}")
    return server


def suan(server, *words, wanted=0):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(server.directory), "LANG": "C.UTF-8", "NO_COLOR": "1",
           "SUAN_URL": server.url, "SUAN_KEY": server.key}
    done = subprocess.run([SUAN, *words], env=env, capture_output=True, text=True, timeout=60, check=False,
                          cwd=server.directory)
    expect_equal(done.returncode, wanted, f"suan {' '.join(words)}: {done.stdout[-400:]}{done.stderr[-400:]}")
    return done.stdout


def containers(server):
    return list((server.state / "engine/attempts").glob("*/container"))


def test_run_inside_an_image(directory):
    server = start(directory)
    for image in ("tiny", "tiny.tar.gz", str(directory / "images/tiny")):
        out = suan(server, "run", "-y", "-p", "lab", "-t", "10m", "--image", image, "--", "cat /etc/os-release; pwd")
        expect_equal(out, "NAME=tiny\n/suan/work\n", f"what a job in {image} says")
    suan(server, "run", "-y", "-p", "lab", "-t", "10m", "--image", "tiny", "--", "kill -TERM $$", wanted=143)
    said = suan(server, "run", "--curl", "-p", "lab", "--image", "tiny", "--", "true")
    expect('"image":"tiny"' in said, f"--curl leaves the image out: {said}")
    spec = directory / "run.yaml"
    spec.write_text("project: lab\nmax_duration: 10m\nimage: tiny\nsetup: export A=b\n"
                    "run: echo $A; cat /etc/os-release\n")
    expect_equal(suan(server, "run", "-y", "-f", str(spec)), "b\nNAME=tiny\n", "a file with an image")
    expect_equal(containers(server), [], "writable layers after the end")


def test_a_job_in_an_image_outlives_the_server(directory):
    server = start(directory)
    mark = "while [ ! -e go ]; do sleep 0.05; done"
    job = server.submit(f"echo before; {mark}; cat /etc/os-release; exit 5", image="tiny.tar.gz", max_duration="10m")
    server.wait_for(job, "running")
    server.kill()
    time.sleep(0.3)
    server.start()
    expect_equal(server.job(job)["state"], "running", "the job after kill -9 and a new start")
    (attempt,) = (server.state / "engine/attempts").iterdir()
    (attempt / "work/go").write_text("")
    view = server.wait_for(job)
    expect_equal(view["exit_code"], 5, "its exit code")
    expect_equal(suan(server, "logs", job), "before\nNAME=tiny\n", "its log")
    stopped = server.submit("trap 'echo closing; exit 0' TERM; echo ready; while true; do sleep 0.05; done", image="tiny",
                            max_duration="10m")
    until(lambda: "ready" in suan(server, "logs", stopped), 30, "the job in the image says that it is ready")
    suan(server, "stop", stopped)
    server.wait_for(stopped, "cancelled")
    expect_equal(suan(server, "logs", stopped), "ready\nclosing\n", "what it said when it was stopped")
    until(lambda: not containers(server), 30, "writable layers are gone")


def test_a_reason_for_every_image_that_cannot_be_run(directory):
    server = start(directory)
    for image, says in (("ubuntu:24.04", "podman save"), ("/etc/passwd", "not below"), ("../state", "leads out")):
        view = server.wait_for(server.submit("true", image=image, max_duration="1m"), "failed")
        expect(says in view["reason"], f"the reason for {image}: {view['reason']!r}")
    answer = server.ask("POST", "/v1/jobs", {"project": "lab", "run": "true", "image": " "},
                        request_id=testbed.make_request_id())
    expect_equal(answer.status, 422, "an image without a name")


def test_without_images_they_are_refused_before_money_is_held(directory):
    server = testbed.Server(directory, "--cores", "2").start()
    server.make_project("lab", "1000")
    body = {"project": "lab", "run": "true", "image": "tiny", "max_duration": "1m"}
    answer = server.ask("POST", "/v1/jobs", body, request_id=testbed.make_request_id())
    expect(answer.status == 409 and answer.json["code"] == "no_pool_fits", f"a job with an image: {answer}")
    expect("runs no images" in answer.json["detail"], f"the reason: {answer.json['detail']}")
    found = server.ask("POST", "/v1/find", body).json
    expect_equal([each["reason"] for each in found["rejected"]], ["images_not_run"], "what find says")
    expect_equal([each["text"] for each in found["changes"]], ["without image"], "what would help")
    expect("--images" in json.dumps(server.read("/v1/domain")), "the member's note names the remedy")
    says = subprocess.run([SUAN, "serve", "--state", str(directory / "other"), "--listen", "127.0.0.1:0", "--images",
                           str(directory / "absent")], text=True, capture_output=True, timeout=60, check=False)
    expect_equal(says.returncode, 1, "the exit code of a server with a directory of images that is not there")
    expect("absent" in says.stderr, f"what it says: {says.stderr}")


if __name__ == "__main__":
    testbed.run_tests([test_run_inside_an_image, test_a_job_in_an_image_outlives_the_server,
                       test_a_reason_for_every_image_that_cannot_be_run,
                       test_without_images_they_are_refused_before_money_is_held], seconds=180)
