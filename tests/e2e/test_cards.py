#!/usr/bin/env python3
"""NVIDIA cards of this machine: found, offered, given to jobs and kept from others.

What the program says is compared with what nvidia-smi says. Jobs ask the driver itself (libcuda, by
Python's ctypes) which cards they see, and compute on them. Without a card there is nothing to test.
"""
import shutil
import subprocess
import sys
import textwrap
import time

import testbed
from testbed import SUAN, expect, expect_equal, until

# CUDA driver API: prints the cards it may use by their UUIDs, then fills memory of each and reads it back.
PROBE = textwrap.dedent("""
    import ctypes, sys, uuid
    cuda = ctypes.CDLL("libcuda.so.1")
    def call(name, *words):
        code = getattr(cuda, name)(*words)
        if code: raise SystemExit(f"{name}: error {code}")
    code = cuda.cuInit(0)
    if code == 100:  # CUDA_ERROR_NO_DEVICE
        print("none", flush=True); sys.exit(0)
    if code: raise SystemExit(f"cuInit: error {code}")
    count = ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(count))
    size = 256 << 20
    for index in range(count.value):
        device, context, address = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
        name = (ctypes.c_ubyte * 16)()
        call("cuDeviceGet", ctypes.byref(device), index)
        call("cuDeviceGetUuid_v2", name, device)
        call("cuCtxCreate_v2", ctypes.byref(context), 0, device)
        call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        call("cuMemsetD32_v2", address, ctypes.c_uint(0x5CA1AB1E), ctypes.c_size_t(size // 4))
        word = ctypes.c_uint()
        call("cuMemcpyDtoH_v2", ctypes.byref(word), ctypes.c_uint64(address.value + size - 4), ctypes.c_size_t(4))
        if word.value != 0x5CA1AB1E: raise SystemExit(f"card {index} gave {word.value:x} back")
        print("GPU-" + str(uuid.UUID(bytes=bytes(name))), flush=True)
""")


def ask_driver(what):
    out = subprocess.run(["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"], text=True,
                         capture_output=True, check=True).stdout
    return [[field.strip() for field in line.split(",")] for line in out.splitlines()]


def start(directory):
    server = testbed.Server(directory).start()
    server.make_project("lab", "1000000")
    probe = directory / "probe.py"
    probe.write_text(PROBE)
    return server, probe


def pool_of(server):
    pools = [row["pool"] for row in server.read("/v1/pools")["pools"] if row["pool"]["chip"]]
    expect_equal(len(pools), 1, f"pools with a chip: {pools}")
    return pools[0]


def lines_of(server, job):
    return server.ask("GET", f"/v1/jobs/{job}/logs").body.split()


def test_found_and_offered(directory):
    server, _ = start(directory)
    pool, cards = pool_of(server), ask_driver("name,uuid")
    expect_equal(pool["cards_per_node"], len(cards), f"cards of {pool}")
    print(f"    {pool['chip']}: {cards}")
    file = directory / "site.yaml"
    subprocess.run([SUAN, "site", "init", "-o", file], check=True, capture_output=True)
    expect(pool["chip"] in file.read_text(), f"suan site init does not name {pool['chip']}: {file.read_text()}")
    tested = subprocess.run([SUAN, "site", "test", file], capture_output=True, text=True, check=False)
    expect_equal(tested.returncode, 0, f"suan site test: {tested.stdout}{tested.stderr}")


def test_a_job_sees_its_cards_and_no_others(directory):
    server, probe = start(directory)
    pool, cards = pool_of(server), [row[0] for row in ask_driver("uuid")]
    work = f"python3 {probe}"
    one = server.submit(work, resources={"accelerators": f"{pool['chip']}:1"}, max_duration="5m")
    every = server.submit(work, resources={"accelerators": f"{pool['chip']}:{len(cards)}"}, max_duration="5m")
    none = server.submit(work, resources={"cpus": 1}, max_duration="5m")
    for job in (one, every, none):
        expect_equal(server.wait_for(job)["exit_code"], 0, f"{job}: {lines_of(server, job)}")
    expect_equal(lines_of(server, none), ["none"], "cards seen by a job without cards")
    expect_equal(lines_of(server, every), cards, "cards seen by a job with all cards")
    seen = lines_of(server, one)
    expect(len(seen) == 1 and seen[0] in cards, f"cards seen by a job with one card: {seen}")


def test_no_card_is_given_twice(directory):
    server, _ = start(directory)
    pool, count = pool_of(server), len(ask_driver("uuid"))
    # Holds a lock of the card it was given, and fails where somebody else holds it.
    work = f"for card in ${{CUDA_VISIBLE_DEVICES//,/ }}; do mkdir {directory}/card-$card; done; sleep 1; " \
           f"for card in ${{CUDA_VISIBLE_DEVICES//,/ }}; do rmdir {directory}/card-$card; done"
    jobs = [server.submit(work, resources={"accelerators": f"{pool['chip']}:1"}, max_duration="1m")
            for _ in range(3 * count)]
    for job in jobs:
        expect_equal(server.wait_for(job)["exit_code"], 0, f"{job}: {lines_of(server, job)}")
    # Shares of one card run side by side.
    started = time.monotonic()
    halves = [server.submit("sleep 2", resources={"accelerators": f"{pool['chip']}:0.5"}, max_duration="1m")
              for _ in range(2)]
    until(lambda: all(server.job(job)["state"] == "running" for job in halves), 10, "both halves run at once")
    for job in halves:
        server.wait_for(job)
    expect(time.monotonic() - started < 30, "two halves took more than 30 s")


def test_work_on_a_card_outlives_the_server(directory):
    server, probe = start(directory)
    pool = pool_of(server)
    job = server.submit(f"python3 {probe}; sleep 3; python3 {probe}",
                        resources={"accelerators": f"{pool['chip']}:1"}, max_duration="5m")
    until(lambda: lines_of(server, job), 60, "the first line of the job")
    server.kill()
    server.start()
    ended = server.wait_for(job)
    expect_equal((ended["state"], ended["exit_code"]), ("finished", 0), f"{job}: {lines_of(server, job)}")
    seen = lines_of(server, job)
    expect(len(seen) == 2 and seen[0] == seen[1], f"the same card before and after: {seen}")


if __name__ == "__main__":
    if not shutil.which("nvidia-smi") or not ask_driver("uuid"):
        print("  skip  there is no NVIDIA card on this machine", flush=True)
        sys.exit(0)
    testbed.run_tests([test_found_and_offered, test_a_job_sees_its_cards_and_no_others,
                       test_no_card_is_given_twice, test_work_on_a_card_outlives_the_server])
