"""The six domains of `./run up --network`: a country, two provinces, three sites; two of these are Slurms."""
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "slurm")]

import centre  # noqa: E402
import testbed  # noqa: E402
from network import Link  # noqa: E402
from speak import say, tell  # noqa: E402
from testbed import Broken, expect, expect_equal, until  # noqa: E402

# What is started ends with this process however that ends, and Ctrl-C comes to this process alone.
TIED = ("setpriv", "--pdeathsig", "TERM")
FIRST_PORT = 8911
SOCKET_PATH_MAX = 100


@dataclasses.dataclass
class Plan:
    """What a domain is to be; `nodes` and `partitions` make it a Slurm."""
    name: str
    parent: str
    city: str
    region: str
    engine: str = "none"
    card_hour: str = "0"
    core_hour: str = "0"
    nodes: dict = dataclasses.field(default_factory=dict)
    partitions: dict = dataclasses.field(default_factory=dict)
    gres: str = ""
    is_cut_later: bool = False


PLANS = (
    Plan("national", "", "北京", "cn-bj"),
    Plan("shanghai", "national", "上海", "cn-sh"),
    Plan("guizhou", "national", "贵阳", "cn-gz"),
    Plan("lingang", "shanghai", "上海", "cn-sh", "slurm", "32", "0.3",
         {"g1": "gpu:h800:8", "g2": "gpu:h800:8", "c1": ""}, {"h800": "g1,g2", "cpu": "c1"},
         '"gpu:h800": H800-SXM'),
    Plan("zhangjiang", "shanghai", "上海", "cn-sh", "local", "0", "0.15", is_cut_later=True),
    Plan("guian", "guizhou", "贵阳", "cn-gz", "slurm", "15", "0.08",
         {"a1": "npu:910b:8", "a2": "npu:910b:8", "c1": ""}, {"ascend": "a1,a2", "cpu": "c1"},
         '"npu:910b": Ascend910B3'),
)
SLURM_CORES = 16  # Of each node; nothing is asked to enforce them.
LOCAL_CORES = 4


class Place(testbed.Server):
    """One domain, and its link to the one that it joins."""

    def __init__(self, directory, plan, parent):
        super().__init__(directory, "--name", plan.name, "--site-file", f"{directory}/{plan.name}.yaml",
                         name=plan.name, wrapper=TIED)
        self.plan, self.parent = plan, parent
        self.link = Link(parent) if plan.is_cut_later else None

    @property
    def name(self):
        return self.plan.name

    @property
    def full_name(self):
        """As the country calls it: shanghai.lingang."""
        above = self.parent.full_name if self.parent else ""
        return f"{above}.{self.name}" if above else self.name if self.parent else ""

    def pid(self):
        return self.process.pid  # What ties it to this process becomes it.

    def serve(self, port, token=""):
        if self.parent:
            self.flags = [*self.flags[:4], "--join", self.link.url if self.link else self.parent.url]
        if is_served(self.state):
            say(f"waiting for the {self.name} of another time, which is about to end")
            until(lambda: not is_served(self.state), 90, f"nobody serves {self.state}")
        # A token is best kept in a variable: everybody sees the words of a command.
        self.env = {**os.environ, **({"SUAN_JOIN_TOKEN": token} if token else {})}
        return self.start(port if is_free(port) else 0)

    def suan(self, *words):
        """What the program says of this domain to its operator."""
        return self.call(words, 0).stdout

    def suan_refused(self, *words):
        """The complaint with which the server refuses what has to be refused."""
        return self.call(words, 3).stderr

    def call(self, words, wanted):
        env = {**os.environ, "SUAN_URL": self.url, "SUAN_KEY": self.key, "NO_COLOR": "1",
               "HOME": str(self.directory)}
        done = subprocess.run([testbed.SUAN, *words], env=env, text=True, capture_output=True, timeout=60,
                              check=False)
        expect(done.returncode == wanted,
               f"suan {' '.join(words)} at {self.name} ends with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def member(self, name):
        members = self.read("/v1/members")["members"]
        return next((each for each in members if each["name"] == name), None)

    def project(self, name):
        projects = self.read("/v1/projects")["projects"]
        return next((each for each in projects if each["name"] == name), None)


    def charges(self, job, count):
        """What a job was charged, which has to be so many charges."""
        def look():  # Written behind the journal: under load it may come a moment after the end.
            found = json.loads(self.suan("cost", job, "-o", "json"))["charges"]
            return found if len(found) >= count else None
        found = until(look, 20, f"{job} is charged at {self.name}", pause=0.2)
        expect_equal(len(found), count, f"how often {job} was charged at {self.name}")
        return [Decimal(each["billed_cost"]) for each in found]


def is_free(port):
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def is_served(state):
    """Whether a process has its journal. One that was told to end may first wait for Slurm to answer."""
    with contextlib.suppress(FileNotFoundError), open(state / "journal" / "lock", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Network:
    """All six; `places` has them by name, each after the one it joins."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.places, self.slurms, self.guard = {}, {}, None
        longest = len(str(self.directory / "slurm-lingang" / "munge.sock"))
        if longest > SOCKET_PATH_MAX or any(c.isspace() for c in str(self.directory)):
            raise Broken(f"{self.directory}: Slurm wants a path without spaces, {longest - SOCKET_PATH_MAX} "
                         "characters shorter; SUAN_VAR=DIRECTORY names another")

    def __getattr__(self, name):
        try:
            return self.places[name]
        except KeyError:
            raise AttributeError(name) from None

    def start(self):
        guard = [sys.executable, str(pathlib.Path(__file__).with_name("guard.py")), str(self.directory)]
        self.guard = subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True)
        for plan in PLANS:
            if plan.engine == "slurm":
                self.start_slurm(plan)
        for number, plan in enumerate(PLANS):
            (self.directory / f"{plan.name}.yaml").write_text(self.site_file(plan))
            place = Place(self.directory, plan, self.places.get(plan.parent))
            self.places[plan.name] = place
            if place.parent:
                join(place, FIRST_PORT + number)
            else:
                place.serve(FIRST_PORT + number)
        for place in self.places.values():
            if place.parent:
                wait_member(place)
        pools = sum(len(plan.partitions) or plan.engine == "local" for plan in PLANS)
        until(lambda: len(self.offers()) == pools, 30, f"{pools} pools are offered at {self.national.name}")
        # One that was here before takes nothing new until all levels have heard of it again.
        until(lambda: all(each["nodes_free"] > 0 for each in self.offers()), 40, "all pools have something free")

    # One that was here before is gone, with the jobs that were in it; the domains keep what they know.
    def start_slurm(self, plan):
        root = self.directory / f"slurm-{plan.name}"
        shutil.rmtree(root, ignore_errors=True)
        cluster = centre.Centre(root, SLURM_CORES, pin=(*TIED, "setsid"), name=plan.name, nodes=plan.nodes,
                                partitions=plan.partitions, select="CR_Core_Memory")
        self.slurms[plan.name] = cluster
        cluster.start(has_rest=False)
        (self.directory / f"shared-{plan.name}").mkdir(mode=0o700, exist_ok=True)
        cards = ", ".join(f"{node} ({gres or 'no cards'})" for node, gres in plan.nodes.items())
        say(f"a Slurm of its own for {plan.name}: {cards}")

    def site_file(self, plan):
        lines = [f"site: {{name: {plan.name}, city: {plan.city}, region: {plan.region}}}", f"engine: {plan.engine}"]
        if plan.engine != "none":
            lines.append(f"prices: {{card_hour: {plan.card_hour}, core_hour: {plan.core_hour}}}")
        if plan.engine == "local":
            lines.append(f"cores: {LOCAL_CORES}")
        if plan.engine == "slurm":
            lines += ["slurm:", f"  configuration: {self.directory}/slurm-{plan.name}/slurm.conf",
                      f"  shared_directory: {self.directory}/shared-{plan.name}", "  poll_interval: 500ms",
                      "  partitions:", *(f"    - {{name: {each}, dedicated: true}}" for each in plan.partitions),
                      f"  gres: {{{plan.gres}}}"]
        return "\n".join(lines) + "\n"

    def offers(self):
        """The pools that the country sells, open ones only."""
        return [each for each in self.national.read("/v1/pools")["pools"] if each["pool"]["state"] == "production"]

    def stop_jobs(self, seconds=20):
        """Ends every job of the country that has not ended."""
        waiting = []
        for job in self.national.rows("/v1/jobs", "jobs"):
            if job["state"] not in testbed.ENDED:
                self.national.suan("stop", job["id"])
                waiting.append(job["id"])
        for job in waiting:
            until(lambda: self.national.job(job)["state"] in testbed.ENDED, seconds, f"{job} is stopped")

    def stop(self):
        """Ends everything in order: work, then the domains from below, then the Slurms."""
        if len(self.places) == len(PLANS) and all(each.is_alive() for each in self.places.values()):
            for place in self.places.values():
                if place.link:
                    place.link.mend()
            with contextlib.suppress(Broken, testbed.Gone):
                self.stop_jobs(10)
        for place in reversed(self.places.values()):
            if place.is_alive():
                with contextlib.suppress(Broken):
                    place.stop()
        for cluster in self.slurms.values():
            cluster.stop()
        if self.guard:
            self.guard.stdin.close()
            self.guard.wait()

    def complaints(self):
        """The last lines that each domain has on its mind."""
        for place in self.places.values():
            for line in place.complaint().splitlines()[-3:]:
                yield f"{place.name}: {line}"


def join(place, port):
    """Starts a domain and takes it through token and approval, unless it is a member from another time."""
    parent = place.parent
    known = parent.member(place.name)
    if known and known["state"] == "approved":
        place.serve(port)
        say(f"{place.name} is a member of {parent.name} already")
        return
    token = parent.suan("join", "token", "--label", place.name).split()[0]
    place.serve(port, token)
    until(lambda: parent.member(place.name), 20, f"{place.name} asks to join {parent.name}")
    parent.suan("join", "approve", place.name)
    say(f"{place.name} asked {parent.name} with a token and was approved")


def wait_member(place, seconds=40):
    def is_there():
        member = place.parent.member(place.name)
        return member and member["connected"] and member["pools"]
    until(is_there, seconds, f"{place.name} is connected to {place.parent.name} and offers something")


def draw(network):
    """The tree of domains, with what each offers and where it is spoken to."""
    def line(place, stem):
        plan = place.plan
        told = {"none": "schedules over its members", "local": f"this machine: {LOCAL_CORES} cores"}.get(plan.engine)
        if plan.engine == "slurm":
            chip = plan.gres.split(": ")[1]
            told = f"a Slurm: 2 nodes of 8 {chip} at {plan.card_hour}, and cores"
        if plan.engine != "none":
            told += f" at {plan.core_hour} CNY/h"
        tell(f"{stem + place.name:<16}{plan.city}   {told}")

    def below(place, stem):
        children = [each for each in network.places.values() if each.parent is place]
        for each in children:
            is_last = each is children[-1]
            line(each, stem + ("└ " if is_last else "├ "))
            below(each, stem + ("  " if is_last else "│ "))
    tell()
    line(network.national, "")
    below(network.national, "")
    tell()
