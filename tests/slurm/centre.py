#!/usr/bin/env python3
"""A real Slurm of one machine on loopback, in a directory of its own: munged, slurmctld, slurmd and
slurmrestd, of Debian's packages. Nothing of the system is used or changed, and no daemon outlives it.

Benchmarks and tests import it. By hand, and for tests that are not Python:

    tests/slurm/centre.py DIRECTORY

starts one with two partitions (main: n1 and n2 with eight gpu:fake910b; extra: n3 with four dcu:k100),
prints one line of JSON that says where everything is, and then obeys words on its standard input:
`kill` ends slurmctld with SIGKILL, `start` starts it again; each is answered with a line. At the end of
its input it ends all that it started.
"""
import base64
import getpass
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmrestd", "sbatch", "scontrol")

# Neither side is asked to enforce anything: no cgroups, no accounting. The scheduler is set to its
# fastest found for streams of short jobs.
CONFIGURATION = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={root}/jwt.key
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters={select}
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=20000,bf_interval=5,default_queue_depth=1000
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={root}/ended.txt
MaxJobCount=200000
MinJobAge={forget_after}
KillWait=3
SlurmdParameters=config_overrides
MailProg=/bin/true
"""
NODE = ("NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cores} Boards=1 "
        "SocketsPerBoard=1 CoresPerSocket={cores} ThreadsPerCore=1 RealMemory=8000{gres} State=UNKNOWN\n")
CARDS = "gpu:fake910b:8"
TEST_NODES = {"n1": CARDS, "n2": CARDS, "n3": "dcu:k100:4"}
TEST_PARTITIONS = {"main": "n1,n2", "extra": "n3"}


def missing():
    """What keeps a Slurm from running here; "" if nothing does."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return ("Slurm is not installed: there is no " + ", ".join(absent) +
            "; tools/door/packages.sh lists its packages") if absent else ""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Centre:
    """`nodes` says which generic resource each node has ("" for none)."""

    def __init__(self, root, cores, pin=(), name="bench", nodes=None, partitions=None, select="CR_Core",
                 forget_after=60):
        self.root = pathlib.Path(root)
        self.pin = pin
        self.processes = []
        self.nodes = nodes or {"n1": ""}
        self.user = getpass.getuser()
        self.port, self.rest_port, *node_ports = free_ports(2 + len(self.nodes))
        for part in ("state", "spool", "dev", "rest"):
            (self.root / part).mkdir(parents=True)
        for node in self.nodes:
            (self.root / "spool" / node).mkdir()
        os.chmod(self.root, 0o755)
        self.key = os.urandom(32)
        for part, content in (("munge.key", os.urandom(1024)), ("jwt.key", self.key)):
            (self.root / part).write_bytes(content)
            os.chmod(self.root / part, 0o400)
        os.chmod(self.root / "jwt.key", 0o444)
        host = socket.gethostname().split(".")[0]
        text = CONFIGURATION.format(name=name, host=host, port=self.port, root=self.root, user=self.user,
                                    select=select, forget_after=forget_after)
        text += self._describe_nodes(host, cores, node_ports)
        for i, (partition, of) in enumerate((partitions or {"main": "n1"}).items()):
            text += (f"PartitionName={partition} Nodes={of} MaxTime=INFINITE State=UP"
                     f"{' Default=YES' if i == 0 else ''}\n")
        (self.root / "slurm.conf").write_text(text)
        (self.root / "cgroup.conf").write_text(
            "CgroupMountpoint=/sys/fs/cgroup\nCgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        self.environment = dict(os.environ, SLURM_CONF=str(self.root / "slurm.conf"))

    # Cards must be files, or Slurm drops a gpu; other resources are only counted.
    def _describe_nodes(self, host, cores, ports):
        text = gres_text = ""
        kinds = sorted({gres.split(":")[0] for gres in self.nodes.values() if gres})
        if kinds:
            text += f"GresTypes={','.join(kinds)}\nDefMemPerCPU=100\n"
            gres_text = "AutoDetect=off\n"
        for (node, gres), port in zip(self.nodes.items(), ports):
            text += NODE.format(node=node, host=host, port=port, cores=cores,
                                gres=f" Gres={gres}" if gres else "")
            if not gres:
                continue
            kind, of_type, count = gres.split(":")
            gres_text += f"NodeName={node} Name={kind} Type={of_type} "
            if kind != "gpu":
                gres_text += f"Count={count}\n"
                continue
            for i in range(int(count)):
                self._make_device(self.root / "dev" / f"{node}-{i}")
            gres_text += f"File={self.root}/dev/{node}-[0-{int(count) - 1}]\n"
        if gres_text:
            (self.root / "gres.conf").write_text(gres_text)
        return text

    def _make_device(self, path):
        try:
            os.mknod(path, 0o020666, os.makedev(1, 3))
        except PermissionError:
            path.touch()  # Counts as well.

    def start(self, has_rest=True):
        """Without slurmrestd the directory may be one that no other user enters."""
        self._spawn("munged", "--foreground", "--force", "--num-threads=2",
                    f"--key-file={self.root}/munge.key", f"--socket={self.root}/munge.sock",
                    f"--pid-file={self.root}/munged.pid", f"--log-file={self.root}/munged.log",
                    f"--seed-file={self.root}/munge.seed")
        self._until(lambda: (self.root / "munge.sock").exists(), "munged")
        self._start_controller()
        for node in self.nodes:
            self._spawn("slurmd", "-D", "-N", node, "-f", str(self.root / "slurm.conf"))
        if has_rest:
            self._start_rest("rest_auth/jwt", f"127.0.0.1:{self.rest_port}", SLURM_JWT="daemon")
        self._until(self._is_idle, "slurmd")
        if has_rest:
            self._until(self._answers, "slurmrestd")

    def start_rest_of_socket(self):
        """A second slurmrestd, which knows its callers by their user; returns its place."""
        path = self.root / "rest" / "socket"
        if os.geteuid() == 0:
            shutil.chown(path.parent, "slurm", "slurm")
        self._start_rest("rest_auth/local", f"unix:{path}")
        self._until(path.exists, "slurmrestd on its socket")
        return f"unix:{path}"

    def _start_rest(self, authentication, place, **variables):
        # It refuses to run as root.
        who = ("-u", "slurm", "-g", "slurm") if os.geteuid() == 0 else ()
        apis = ",".join(f"openapi/v0.0.{number}" for number in self.apis)
        self._spawn("slurmrestd", *who, "-a", authentication, "-s", apis, "-t", "4", place, **variables)

    apis = (38,)

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill_controller(self):
        controller = self.processes.pop(1)
        controller.kill()
        controller.wait()

    def start_controller(self):
        self._start_controller()
        self._until(self._is_reached, "slurmctld")

    def headers(self):
        return {"X-SLURM-USER-NAME": self.user, "X-SLURM-USER-TOKEN": self.token(),
                "Content-Type": "application/json"}

    def job(self, script, is_held):
        job = {"name": "load", "partition": "main", "tasks": 1, "cpus_per_task": 1, "time_limit": 1,
               "current_working_directory": "/tmp", "standard_output": "/dev/null",
               "standard_error": "/dev/null", "environment": {"PATH": "/usr/bin:/bin"}}
        if is_held:
            job["hold"] = True
        return json.dumps({"job": job, "script": script})

    @property
    def place(self):
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def url(self):
        return f"{self.place}/slurm/v0.0.38/job/submit"

    def ended(self):
        try:
            return (self.root / "ended.txt").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def clear(self):
        """Forgets all jobs: a controller that begins anew does so at once, scancel takes minutes."""
        self.kill_controller()
        self._start_controller("-c")
        self._until(self._is_idle, "slurmctld")

    def _start_controller(self, *flags):
        self._spawn("slurmctld", "-D", *flags, "-f", str(self.root / "slurm.conf"))
        self.processes.insert(1, self.processes.pop())

    def _spawn(self, *command, **variables):
        log = open(self.root / f"{command[0]}.out", "ab")
        self.processes.append(subprocess.Popen([*self.pin, *command], stdout=log, stderr=log,
                                               env=dict(self.environment, **variables), cwd=self.root))

    def _ask(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def _is_reached(self):
        states = self._ask("sinfo", "-h", "-N", "-o", "%T").split()
        return len(states) >= len(self.nodes) and not any("*" in s or "unk" in s for s in states)

    def _is_idle(self):
        states = self._ask("sinfo", "-h", "-N", "-o", "%T").split()
        return len(states) >= len(self.nodes) and set(states) == {"idle"}

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.rest_port), 1).close()
            return True
        except OSError:
            return False

    def _until(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"slurm: {what} is not there after {seconds} s; see {self.root}")
            time.sleep(0.1)

    def token(self):
        def part(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")
        now = int(time.time())
        signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(
            json.dumps({"iat": now, "exp": now + 86400, "sun": self.user}).encode())
        return (signed + b"." + part(hmac.new(self.key, signed, hashlib.sha256).digest())).decode()


def main(directory):
    absent = missing()
    if absent:
        sys.exit(absent)
    root = pathlib.Path(tempfile.mkdtemp(prefix="slurm-", dir=directory))
    os.chmod(directory, 0o755)
    Centre.apis = (36, 37, 38)
    centre = Centre(root, 16, name="test", nodes=TEST_NODES, partitions=TEST_PARTITIONS,
                    select="CR_Core_Memory", forget_after=2)
    try:
        centre.start()
        print(json.dumps({"configuration": str(root / "slurm.conf"), "rest": centre.place,
                          "socket": centre.start_rest_of_socket(), "jwt_key": str(root / "jwt.key"),
                          "user": centre.user}), flush=True)
        for line in sys.stdin:
            {"kill": centre.kill_controller, "start": centre.start_controller}[line.strip()]()
            print("done", flush=True)
    finally:
        centre.stop()


if __name__ == "__main__":
    main(sys.argv[1])
