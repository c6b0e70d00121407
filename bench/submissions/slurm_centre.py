"""A real Slurm of one machine on loopback, in a directory of its own: munged, slurmctld, slurmd and
slurmrestd, started and stopped by the benchmark. Debian's packages; root, as slurmd and munged want.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmrestd", "sbatch", "scontrol")

# Neither side is asked to enforce anything: no cgroups, no accounting. The scheduler is set to its
# fastest found for streams of short jobs.
CONFIGURATION = """\
ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={root}/jwt.key
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=20000,bf_interval=5,default_queue_depth=1000
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={root}/ended.txt
MaxJobCount=200000
MinJobAge=60
SlurmdParameters=config_overrides
MailProg=/bin/true
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs={cores} RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """What keeps a Slurm from running here; "" if nothing does."""
    if os.geteuid() != 0:
        return "it needs root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return "not installed: " + " ".join(absent) if absent else ""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Centre:
    def __init__(self, root, cores, pin):
        self.root = pathlib.Path(root)
        self.pin = pin
        self.processes = []
        self.port, self.node_port, self.rest_port = free_ports(3)
        host = socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (self.root / name).mkdir(parents=True)
        os.chmod(self.root, 0o755)
        self.key = os.urandom(32)
        for name, content in (("munge.key", os.urandom(1024)), ("jwt.key", self.key)):
            (self.root / name).write_bytes(content)
            os.chmod(self.root / name, 0o400)
        os.chmod(self.root / "jwt.key", 0o444)
        (self.root / "slurm.conf").write_text(CONFIGURATION.format(
            host=host, port=self.port, node_port=self.node_port, root=self.root, cores=cores))
        (self.root / "cgroup.conf").write_text(
            "CgroupMountpoint=/sys/fs/cgroup\nCgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        self.environment = dict(os.environ, SLURM_CONF=str(self.root / "slurm.conf"))

    def start(self):
        self._spawn("munged", "--foreground", "--force", "--num-threads=2",
                    f"--key-file={self.root}/munge.key", f"--socket={self.root}/munge.sock",
                    f"--pid-file={self.root}/munged.pid", f"--log-file={self.root}/munged.log",
                    f"--seed-file={self.root}/munge.seed")
        self._until(lambda: (self.root / "munge.sock").exists(), "munged")
        self._start_controller()
        self._spawn("slurmd", "-D", "-N", "n1", "-f", str(self.root / "slurm.conf"))
        self._spawn("slurmrestd", "-u", "slurm", "-g", "slurm", "-a", "rest_auth/jwt",
                    "-s", "openapi/v0.0.38", "-t", "4", f"127.0.0.1:{self.rest_port}",
                    SLURM_JWT="daemon")
        self._until(lambda: "idle" in self._ask("sinfo", "-h", "-o", "%T"), "slurmd")
        self._until(self._answers, "slurmrestd")

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def headers(self):
        return {"X-SLURM-USER-NAME": "root", "X-SLURM-USER-TOKEN": self._token(),
                "Content-Type": "application/json"}

    def job(self, script, is_held):
        job = {"name": "load", "partition": "main", "tasks": 1, "cpus_per_task": 1, "time_limit": 1,
               "current_working_directory": "/tmp", "standard_output": "/dev/null",
               "standard_error": "/dev/null", "environment": {"PATH": "/usr/bin:/bin"}}
        if is_held:
            job["hold"] = True
        return json.dumps({"job": job, "script": script})

    @property
    def url(self):
        return f"http://127.0.0.1:{self.rest_port}/slurm/v0.0.38/job/submit"

    def ended(self):
        try:
            return (self.root / "ended.txt").read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def clear(self):
        """Forgets all jobs: a controller that begins anew does so at once, scancel takes minutes."""
        controller = self.processes.pop(1)
        controller.kill()
        controller.wait()
        self._start_controller("-c")
        self._until(lambda: "idle" in self._ask("sinfo", "-h", "-o", "%T"), "slurmctld")

    def _start_controller(self, *flags):
        self._spawn("slurmctld", "-D", *flags, "-f", str(self.root / "slurm.conf"))
        self.processes.insert(1, self.processes.pop())

    def _spawn(self, *command, **variables):
        log = open(self.root / f"{command[0]}.out", "ab")
        self.processes.append(subprocess.Popen([*self.pin, *command], stdout=log, stderr=log,
                                               env=dict(self.environment, **variables), cwd=self.root))

    def _ask(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

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

    def _token(self):
        def part(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")
        now = int(time.time())
        signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(
            json.dumps({"iat": now, "exp": now + 86400, "sun": "root"}).encode())
        return (signed + b"." + part(hmac.new(self.key, signed, hashlib.sha256).digest())).decode()
