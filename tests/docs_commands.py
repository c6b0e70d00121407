#!/usr/bin/env python3
"""Runs every command that the documents show, on a domain of its own, and checks every link.

    tests/docs_commands.py PROGRAM [DOCUMENT…]

In a document ```sh is a script and ```console a session ("$ " before what is typed, then what came
of it; only the commands are run). The blocks of one document run in one bash, one after another, so a
variable set in one can be used in the next; where a line must fail, it ends in "# exits N". ```yaml
blocks with `run:` are planned as job specifications, and `suan --help`-like tables are not looked at.
What cannot run in here is in ELSEWHERE, with the check that does it.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
ELSEWHERE = {  # A line, as a pattern, and what tests it.
    r"\./run up( --once)?": "the check `up` of ./run test",
    r"\./run up --network( --once)?": "the check `network` of ./run test",
    r"suan join approve province": "the check `network` of ./run test, which approves five",
    r"\./run test( \w+)?": "this is part of it",
    r"\./run bench (core|find|throughput|submissions)": "measured by hand: minutes of a quiet machine",
    r"\./run bench (placement|network) --traces DIR": "wants lists that are not part of the project",
    r"\./run (fuzz|lint|fmt|clean)\b.*": "the checks `fuzzers` and `format` of ./run test",
    r"cmake --preset .*": "the checks `build-…` of ./run test",
    r"build/release/suan_sim_planted .*": "the check `planted` of ./run test",
    r"systemctl .*|install .*|adduser .*": "needs systemd and root",
    r"npm .*": "the checks `console-unit` and `console-browser` of ./run test",
}
BLOCK_SECONDS_MAX = 180


class Block:
    def __init__(self, path, line, kind, lines):
        self.place = f"{path.relative_to(ROOT)}:{line}"
        self.kind, self.lines = kind, lines

    def commands(self):
        """The lines to run; continued ones are joined."""
        if self.kind == "sh":
            return self.lines
        out, is_command = [], False
        for line in self.lines:
            if line.startswith("$ "):
                out.append(line[2:])
                is_command = line.endswith("\\")
            elif is_command:
                out.append(line[2:] if line.startswith("> ") else line)
                is_command = line.endswith("\\")
        return out


def read_blocks(path):
    blocks, opened = [], None
    for number, line in enumerate(path.read_text().split("\n"), 1):
        fence = re.match(r"\s*```(\w*)\s*$", line)
        if fence and opened is None:
            opened = (number, fence[1], [])
        elif fence:
            blocks.append(Block(path, *opened))
            opened = None
        elif opened:
            opened[2].append(line)
    return blocks


def is_elsewhere(line):
    return any(re.fullmatch(pattern, line.split(" #")[0].strip()) for pattern in ELSEWHERE)


def as_script(block):
    """Bash that runs a block, and fails where one of its lines does what it should not."""
    script = []
    for line in block.commands():
        if is_elsewhere(line):
            continue
        wanted = re.search(r"# exits (\d+)$", line)
        if wanted:
            script.append(f"__s=0; {{ {line}\n}} || __s=$?; "
                          f"[ $__s = {wanted[1]} ] || {{ echo \"exited $__s\"; exit 1; }}")
        else:
            script.append(line)
    return "\n".join(script)


class Domain:
    """A domain of the program, in a directory of its own, with a project that has money."""

    def __init__(self, program, directory):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.process = subprocess.Popen(
            [program, "serve", "--state", self.state, "--listen", "127.0.0.1:0", "--city", "庆阳"],
            stdout=subprocess.PIPE, text=True, cwd=directory)
        ready = self.process.stdout.readline()
        found = re.search(r"http://\S+", ready)
        if not found:
            raise SystemExit(f"docs_commands: the domain did not start: {ready}")
        tools = self.directory / "bin"
        tools.mkdir()
        (tools / "suan").symlink_to(program)
        self.place = self.directory / "work"
        self.place.mkdir()
        for name in ("examples", "docs", "deploy"):
            if (ROOT / name).exists():
                (self.place / name).symlink_to(ROOT / name)
        self.env = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.directory), "NO_COLOR": "1",
                    "LANG": "C.UTF-8", "SUAN_URL": found[0], "STATE": str(self.state),
                    "SUAN_KEY": (self.state / "operator.key").read_text().strip()}
        for words in (["create", "lab-a"], ["fund", "lab-a", "1000"]):
            subprocess.run([program, "project", *words], env=self.env, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def end_group(process):
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_document(domain, path):
    """Yields (place, error or None) for each block that has something to run."""
    shell = subprocess.Popen(["bash", "-uo", "pipefail"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, cwd=domain.place, env=domain.env,
                             start_new_session=True)
    shell.stdin.write("set -e; trap 'echo; echo __ended' EXIT\n")
    for block in read_blocks(path):
        if block.kind == "yaml":
            if re.search(r"^run:", "\n".join(block.lines), re.M):
                planned = subprocess.run(["suan", "plan", "-f", "-", "-p", "lab-a"], input="\n".join(block.lines),
                                         text=True, capture_output=True, env=domain.env)
                yield block.place, (None if planned.returncode == 0 and "Refused" not in planned.stdout
                                   else planned.stderr + planned.stdout)
            continue
        if block.kind not in ("sh", "console"):
            continue
        script = as_script(block)
        if not script.strip():
            continue
        shell.stdin.write(script + "\necho; echo __done\n")
        shell.stdin.flush()
        said, line = [], ""
        limit = threading.Timer(BLOCK_SECONDS_MAX, end_group, [shell.pid])
        limit.start()
        for line in shell.stdout:
            if line in ("__done\n", "__ended\n"):
                break
            said.append(line)
        limit.cancel()
        if line != "__done\n":
            yield block.place, "".join(said[-30:])
            break
        yield block.place, None
    end_group(shell.pid)
    shell.wait()


def anchors(path):
    """What GitHub calls the headings of a document."""
    out = set()
    for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.M):
        text = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).lower()
        out.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return out


def broken_links(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        if not other.exists():
            yield f"{path.relative_to(ROOT)}: there is no {target}"
        elif anchor and other.suffix == ".md" and anchor not in anchors(other):
            yield f"{path.relative_to(ROOT)}: there is no heading {target}"


def documents():
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, text=True, capture_output=True).stdout.split()
    return [ROOT / name for name in tracked]


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    paths = [pathlib.Path(name).resolve() for name in sys.argv[2:]] or documents()
    failures = 0
    for path in paths:
        found = list(broken_links(path))
        failures += bool(found)
        print("\n".join(f"FAIL {each}" for each in found) or f"ok    links of {path.relative_to(ROOT)}")
    for path in paths:
        if not any(block.kind in ("sh", "console", "yaml") for block in read_blocks(path)):
            continue
        with tempfile.TemporaryDirectory() as directory:
            domain = Domain(program, directory)
            os.environ["PATH"] = domain.env["PATH"]
            for place, error in run_document(domain, path):
                failures += error is not None
                print(f"ok    {place}" if error is None else f"FAIL  {place}\n{error}", flush=True)
            if domain.stop() != 0:
                failures += 1
                print(f"FAIL  the domain of {path.name} did not end well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
