#!/usr/bin/env python3
"""How well policies pack the lists of openb under the protocol by which FGD was measured, and how well a domain
does when their jobs come, wait and end: JSON lines on stdout, one a metric, means of ten and of five seeds; and
how fast.

The lists are Alibaba's cluster-trace-gpu-v2023 (github.com/alibaba/clusterdata; the variants are in
github.com/hkust-adsl/kubernetes-scheduler-simulator, data/csv), plain or gzipped, in the folder `openb` of
$SUAN_TRACES or of --traces.
"""
import argparse
import concurrent.futures
import gzip
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LISTS = ["default", "cpu100", "cpu250", "gpushare40", "gpushare100", "gpuspec33", "multigpu20", "multigpu50"]
NODES = "openb_node_list_gpu_node.csv"
NODES_OF_ONE = 1213
COPIES = [1, 4, 16, 82]
TIMED = [each for each in LISTS if not each.startswith("multigpu")]  # The others say nothing of times.
REPLAY_SEEDS = 5
FGD_COPIES_MAX = 4  # It looks at every node.
KNOWN = ["fgd", "bestfit", "packing", "dotprod", "random"]

# What a linear programme reaches that knows all arrivals beforehand, at 100 and 130 % arrived: taken over, not
# computed here. Then what FGD's authors published. Percent of all cards.
BOUND = {("default", 100): 96.90, ("default", 130): 99.89, ("cpu250", 100): 96.90, ("gpushare40", 100): 95.65,
         ("gpushare100", 100): 89.16, ("gpuspec33", 100): 96.46, ("multigpu20", 100): 97.34,
         ("multigpu50", 100): 98.34}
PUBLISHED = {("default", "random", 100): 86.30, ("default", "random", 130): 87.47,
             ("default", "dotprod", 100): 90.62, ("default", "dotprod", 130): 90.85,
             ("default", "packing", 100): 91.78, ("default", "packing", 130): 92.00,
             ("default", "bestfit", 100): 92.86, ("default", "bestfit", 130): 93.08,
             ("default", "fgd", 100): 95.23, ("default", "fgd", 130): 95.39,
             ("cpu100", "fgd", 100): 95.21, ("cpu100", "fgd", 130): 95.35,
             ("cpu250", "fgd", 100): 93.20, ("cpu250", "fgd", 130): 93.41,
             ("gpushare40", "fgd", 100): 93.96, ("gpushare40", "fgd", 130): 94.15,
             ("gpushare100", "fgd", 100): 86.64, ("gpushare100", "fgd", 130): 86.90,
             ("gpuspec33", "fgd", 100): 87.84, ("gpuspec33", "fgd", 130): 94.55,
             ("multigpu20", "fgd", 100): 95.53, ("multigpu20", "fgd", 130): 95.65,
             ("multigpu50", "fgd", 100): 97.09, ("multigpu50", "fgd", 130): 97.18}


def fail(text):
    print(f"bench placement: {text}", file=sys.stderr)
    sys.exit(2)


def unpack(traces, folder):
    """The lists as plain files; the names of those that are there."""
    openb = pathlib.Path(traces) / "openb"
    found = []
    for name in [NODES] + [f"openb_pod_list_{each}.csv" for each in LISTS]:
        plain, packed = openb / name, openb / (name + ".gz")
        if plain.exists():
            shutil.copy(plain, folder / name)
        elif packed.exists():
            (folder / name).write_bytes(gzip.decompress(packed.read_bytes()))
        else:
            continue
        found.append(name)
    if NODES not in found or len(found) < 2:
        fail(f"no lists in {openb}: take {NODES} and openb_pod_list_*.csv from data/csv of\n"
             "github.com/hkust-adsl/kubernetes-scheduler-simulator and name the folder above openb by --traces or "
             "SUAN_TRACES")
    return [each for each in LISTS if f"openb_pod_list_{each}.csv" in found]


def measure(program, folder, task):
    name, policy, seed, seeds = task
    done = subprocess.run(
        [program, "--protocol", "fgd", "--nodes", folder / NODES, "--jobs", folder / f"openb_pod_list_{name}.csv",
         "--policy", policy, "--seed", str(seed), "--seeds", str(seeds), "-o", "json"],
        stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def replay(program, folder, task):
    """The jobs of a list drawn so that 130 % of the cards are asked for, for two hours."""
    name, policy, seed = task
    done = subprocess.run(
        [program, "--nodes", folder / NODES, "--jobs", folder / f"openb_pod_list_{name}.csv", "--policy", policy,
         "--load", "130", "--hours", "2", "--seed", str(seed), "--seeds", str(REPLAY_SEEDS), "-o", "json"],
        stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def report_replays(replays, name):
    suan, fgd = replays[(name, "suan")], replays[(name, "fgd")]
    report(f"openb_{name}_replay_130", suan["allocation"], "%", fgd["allocation"],
           deviation=suan["allocation_deviation"], baseline_deviation=fgd["allocation_deviation"])
    for cards, waits in suan["by_gpus"].items():
        of_fgd = fgd["by_gpus"].get(cards, {})
        for metric, field in (("p99", "wait_minutes_p99"), ("mean", "wait_minutes_mean")):
            report(f"openb_{name}_replay_wait_{metric}_minutes_{cards}", waits.get(field), "min", of_fgd.get(field))
        report(f"openb_{name}_replay_started_{cards}", waits["started"], "jobs", of_fgd.get("started"),
               came=waits["came"])


def report(metric, value, unit, baseline=None, **more):
    line = {"bench": "placement", "metric": metric, "value": value, "unit": unit}
    if baseline is not None:
        line["baseline"] = baseline
    line.update({key: each for key, each in more.items() if each is not None})
    print(json.dumps(line), flush=True)


def copy_list(path, into, copies):
    head, *rows = path.read_text().splitlines(keepends=True)
    into.write_text(head + "".join(rows) * copies)


def report_speed(program, wish):
    """Decisions a second on so many copies of the cluster and its tasks, one run after another."""
    costs = []
    for copies in COPIES:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            unpack(wish.traces, folder)
            for each in (NODES, "openb_pod_list_default.csv"):
                copy_list(folder / each, folder / each, copies)
            runs = {policy: measure(program, folder, ("default", policy, wish.seed, 5 if copies == 1 else 1))
                    for policy in (["suan", "fgd"] if copies <= FGD_COPIES_MAX else ["suan"])}
        nodes = NODES_OF_ONE * copies
        rates = {policy: run["decisions_per_second"] for policy, run in runs.items()}
        report(f"openb_default_decisions_per_second_{nodes}_nodes", rates["suan"], "1/s", rates.get("fgd"),
               allocation=runs["suan"]["allocation"]["130"])
        costs.append((nodes, 1 / rates["suan"]))
    xs, ys = [[math.log(pair[i]) for pair in costs] for i in (0, 1)]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    report("openb_default_cost_exponent",
           sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum((x - mean_x) ** 2 for x in xs), "")


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--traces", default=os.environ.get("SUAN_TRACES"), help="folder above openb")
    reader.add_argument("--list", action="append", choices=LISTS, help="only this one; may be repeated")
    reader.add_argument("--seed", type=int, default=42, help="the first (42)")
    reader.add_argument("--seeds", type=int, default=10)
    wish = reader.parse_args()
    if not wish.traces:
        fail("name the folder with the lists by --traces or SUAN_TRACES")
    program = os.environ.get("SUAN_SIM", ROOT / "build/release/suan_sim")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lists = [each for each in unpack(wish.traces, folder) if not wish.list or each in wish.list]
        tasks = [(each, policy, wish.seed, wish.seeds) for each in lists
                 for policy in ["suan", "suan-all"] + (KNOWN if each == "default" else ["fgd"])]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = dict(zip(tasks, pool.map(lambda task: measure(program, folder, task), tasks)))
            runs = [(each, policy, wish.seed) for each in lists if each in TIMED for policy in ("suan", "fgd")]
            replays = {run[:2]: done
                       for run, done in zip(runs, pool.map(lambda run: replay(program, folder, run), runs))}
    for (each, policy, _, _), result in results.items():
        if policy == "suan":
            fgd = results[(each, "fgd", wish.seed, wish.seeds)]
            for percent in (100, 130):
                at = str(percent)
                report(f"openb_{each}_{percent}", result["allocation"][at], "%", fgd["allocation"][at],
                       deviation=result["allocation_deviation"][at],
                       baseline_deviation=fgd["allocation_deviation"][at], bound=BOUND.get((each, percent)))
            report(f"openb_{each}_first_rejection", result["first_rejection"], "%", fgd["first_rejection"])
            for cards in result["admitted_by_gpus"]:
                if cards not in ("0", "share", "1"):
                    report(f"openb_{each}_admitted_{cards}", result["admitted_by_gpus"][cards], "%",
                           fgd["admitted_by_gpus"][cards])
        else:
            for percent in (100, 130):
                report(f"openb_{each}_{policy}_{percent}", result["allocation"][str(percent)], "%",
                       PUBLISHED.get((each, policy, percent)),
                       deviation=result["allocation_deviation"][str(percent)])
    for each in lists:
        if each in TIMED:
            report_replays(replays, each)
    if "default" in lists:
        report_speed(program, wish)


if __name__ == "__main__":
    main()
