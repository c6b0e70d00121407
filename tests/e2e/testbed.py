"""What the end-to-end tests stand on: a real `suan serve`, spoken to over HTTP, and its end.

Every test gets a directory of its own. Whatever processes came of a test are found by that directory
and ended with it. Standard library only.
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUAN = os.environ.get("SUAN_BIN") or str(ROOT / "build/dev/suan")
READY_SECONDS = 60


class Broken(AssertionError):
    """A promise of the program that did not hold."""


def expect(is_true, says):
    if not is_true:
        raise Broken(says)


def expect_equal(got, wanted, what):
    if got != wanted:
        raise Broken(f"{what}: got {got!r}, wanted {wanted!r}")


def until(condition, seconds, what, pause=0.05):
    """What `condition` answers, once that is true."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Broken(f"after {seconds} s still not: {what}")
        time.sleep(pause)


def make_request_id(at=None):
    """A UUIDv7, of now or of another moment in seconds since 1970."""
    moment = int((time.time() if at is None else at) * 1000)
    number = moment << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(3 << 62) | 2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The machine word of a problem, or ""."""
        with contextlib.suppress(ValueError, AttributeError):
            return self.json.get("code", "")
        return ""

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Gone(Exception):
    """The server did not answer: whether it did what was asked is unknown."""


class Server:
    """One state directory, and the process that serves it: started, killed and started again."""

    def __init__(self, directory, *flags, name="state", wrapper=(), env=None):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / name
        self.flags, self.wrapper, self.env = list(flags), list(wrapper), env
        self.process, self.scheme, self.port = None, "http", 0
        self.complaints = self.directory / f"{name}.stderr"
        self.ca = None  # The file with the CA of a server that speaks https.

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def key(self):
        return (self.state / "operator.key").read_text().strip()

    def command(self, port=0):
        return [*self.wrapper, SUAN, "serve", "--state", str(self.state),
                "--listen", f"127.0.0.1:{port}", *self.flags]

    def start_unready(self, port=0):
        """Starts the process and waits for nothing."""
        with open(self.complaints, "ab") as errors:
            self.process = subprocess.Popen(self.command(port), stdout=subprocess.PIPE, stderr=errors,
                                            env=self.env, cwd=self.directory, start_new_session=True)

    def start(self, port=0):
        self.start_unready(port)
        line = self.read_line(READY_SECONDS)
        found = re.search(r"ready at (https?)://127\.0\.0\.1:(\d+)", line)
        if not found:
            self.kill()
            raise Broken(f"the server did not start: {line!r} {self.complaint()}")
        self.scheme, self.port = found[1], int(found[2])
        return self

    def read_line(self, seconds):
        end, line = time.monotonic() + seconds, b""
        out = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([out], [], [], max(end - time.monotonic(), 0))
            byte = os.read(out, 1) if ready else b""
            if not byte:
                break
            line += byte
        return line.decode()

    def complaint(self):
        return self.complaints.read_text(errors="replace")[-2000:] if self.complaints.exists() else ""

    def pid(self):
        """Of the server itself, also below a wrapper such as strace."""
        if not self.wrapper:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Ends the process as a power switch would, and nothing else."""
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, IndexError):
            os.kill(self.pid(), signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()

    def stop(self, seconds=30):
        """Ends it in good order; answers its exit code."""
        os.kill(self.pid(), signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"the server did not end within {seconds} s of SIGTERM") from None
        self.process.stdout.close()
        return code

    def open_link(self, seconds):
        if self.scheme == "http":
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        trust = ssl.create_default_context(cafile=self.ca)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds, context=trust)

    def ask(self, method, path, body=None, key=None, request_id=None, headers=None, seconds=30):
        """One request on a connection of its own. Raises Gone where there is no whole answer."""
        fields = {"Authorization": f"Bearer {self.key if key is None else key}", **(headers or {})}
        if request_id:
            fields["Idempotency-Key"] = request_id
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        link = self.open_link(seconds)
        try:
            link.request(method, path, body, fields)
            answer = link.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            raise Gone(str(error)) from None
        finally:
            link.close()

    def read(self, path, **rest):
        """What a GET answers, which has to be 200."""
        answer = self.ask("GET", path, **rest)
        expect_equal(answer.status, 200, f"GET {path} ({answer.body[:200]})")
        return answer.json

    def change(self, method, path, body=None, **rest):
        """A request that has to be accepted; its answer."""
        answer = self.ask(method, path, body, request_id=make_request_id(), **rest)
        expect(answer.status in (200, 201, 202), f"{method} {path}: {answer}")
        return answer.json

    def make_project(self, name, amount="1000"):
        self.change("POST", "/v1/projects", {"name": name})
        return self.change("POST", f"/v1/projects/{name}/deposits", {"amount": amount, "text": "test"})

    def submit(self, run, project="lab", **spec):
        return self.change("POST", "/v1/jobs", {"project": project, "run": run, **spec})["id"]

    def job(self, job):
        return self.read(f"/v1/jobs/{job}")

    def wait_for(self, job, *states, seconds=60):
        """The job, once it is in one of these states; by default once it has ended."""
        wanted = states or ENDED

        def look():
            view = self.job(job)
            if view["state"] in wanted:
                return view
            expect(view["state"] not in ENDED, f"{job} is {view['state']} ({view['reason']}), not {wanted}")
            return None
        return until(look, seconds, f"{job} is {' or '.join(wanted)}")

    def rows(self, path, name):
        """All rows of a list, over its pages, newest first."""
        rows, mark = [], ""
        joint = "&" if "?" in path else "?"
        while True:
            page = self.read(f"{path}{joint}limit=500{'&before=' + mark if mark else ''}")
            rows += page[name]
            if not page["next"] or not page[name]:
                return rows
            expect(page["next"] != mark, f"{path}: the same page again and again")
            mark = page["next"]

    def verify_journal(self, *flags):
        done = subprocess.run([SUAN, "journal", "verify", *flags, str(self.state)], text=True,
                              capture_output=True, timeout=120, check=False)
        expect_equal(done.returncode, 0, f"suan journal verify ({done.stdout}{done.stderr})")
        return done.stdout


ENDED = ("finished", "failed", "cancelled")


def money(text):
    return Decimal(text)


def check_money(server, deposited):
    """Nothing was made or lost: deposits are on accounts, held or charged, and every view agrees."""
    view = server.read("/v1/projects")["projects"]
    jobs = server.rows("/v1/jobs", "jobs")
    costs = server.read("/v1/costs?limit=1")
    accounts = {}
    for posting in server.rows("/v1/postings", "postings"):
        amount = money(posting["amount"])
        expect(amount > 0, f"a posting of {amount}: {posting}")
        accounts[posting["from"]] = accounts.get(posting["from"], 0) - amount
        accounts[posting["to"]] = accounts.get(posting["to"], 0) + amount
    for project in view:
        name = project["name"]
        available, held, charged = (money(project[each]) for each in ("available", "held", "charged"))
        expect_equal(available + held + charged, deposited[name], f"the money of {name}: {project}")
        expect_equal(accounts.get(f"project/{name}", 0), available, f"the postings of project/{name}")
        expect_equal(accounts.get(f"held/{name}", 0), held, f"the postings of held/{name}")
        of_jobs = sum(money(job["cost"]) for job in jobs if job["project"] == name)
        expect_equal(of_jobs, charged, f"the costs of the jobs of {name}")
    charged = sum(money(project["charged"]) for project in view)
    expect_equal(money(costs["total"]), charged, "the total of all charges")
    lines = server.rows("/v1/costs", "charges")
    expect_equal(sum(money(line["billed_cost"]) for line in lines), charged, "the sum of the charge lines")
    return charged


def read_events(server, after, is_over=None, key=None):
    """The places (sequence, index) of the stream of changes as they come; raises Gone where the stream breaks."""
    try:
        link = socket.create_connection(("127.0.0.1", server.port), 5)
    except OSError as error:
        raise Gone(str(error)) from None
    with link:
        try:
            link.sendall(f"GET /v1/events?after={after} HTTP/1.1\r\nHost: suan\r\n"
                         f"Authorization: Bearer {key or server.key}\r\n\r\n".encode())
            link.settimeout(1)
            text = b""
            while is_over is None or not is_over.is_set():
                with contextlib.suppress(TimeoutError):
                    piece = link.recv(65536)
                    if not piece:
                        raise Gone("the stream ended")
                    text += piece
                *lines, text = text.split(b"\n")
                for line in lines:
                    if line.startswith(b"id: "):
                        yield tuple(int(each) for each in line[4:].split(b"."))
        except OSError as error:
            raise Gone(str(error)) from None


def print_place(place):
    return ".".join(str(each) for each in place)


def read_past_events(server, last, after="0", key=None, seconds=60):
    """The places of the stream after an id up to the record `last`, resumed wherever it breaks."""
    whole, end = [], time.monotonic() + seconds
    while not whole or whole[-1][0] < last:
        expect(time.monotonic() < end, f"the stream came to {whole[-1:]} of {last} in {seconds} s")
        with contextlib.suppress(Gone):
            for place in read_events(server, print_place(whole[-1]) if whole else after, key=key):
                whole.append(place)
                if place[0] >= last:
                    break
    return whole


def words_of(entry):
    """What says where a process belongs: its command line, variables and working directory."""
    with contextlib.suppress(OSError):
        yield (entry / "cmdline").read_bytes()
    with contextlib.suppress(OSError):
        yield (entry / "environ").read_bytes()
    with contextlib.suppress(OSError):
        yield os.readlink(entry / "cwd").encode()


def processes_of(directory):
    """Every process that names this directory, but not this one."""
    mark = str(directory).encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            if any(mark in words for words in words_of(entry)):
                found.append(int(entry.name))
    return found


def end_processes(directory):
    for _ in range(20):
        left = processes_of(directory)
        if not left:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):  # All at once: none sees another's end.
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        time.sleep(0.1)


@contextlib.contextmanager
def scratch():
    """A directory of a test's own; afterwards neither it nor any process of it is left."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="suan-e2e-"))
    try:
        yield directory
    finally:
        end_processes(directory)
        shutil.rmtree(directory, ignore_errors=True)


def give_up_after(seconds, name):
    """Ends this whole process, with the stacks of its threads, when a test hangs."""
    def end():
        print(f"  FAIL  {name}: still not done after {seconds} s", flush=True)
        for thread, frame in sys._current_frames().items():
            print(f"thread {thread}:\n{''.join(traceback.format_stack(frame))}", flush=True)
        end_processes(DIRECTORY[-1])
        os._exit(1)
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer


DIRECTORY = []


def run_tests(tests, seconds=300):
    """Runs each with a directory of its own, or those named on the command line; exits 0 if all held."""
    passed = failed = 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not os.access(SUAN, os.X_OK):
        sys.exit(f"there is no program at {SUAN}: build it, or set SUAN_BIN")
    for test in tests:
        name = test.__name__.removeprefix("test_")
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        began = time.monotonic()
        with scratch() as directory:
            DIRECTORY.append(directory)
            timer = give_up_after(seconds, name)
            try:
                test(directory)
                passed += 1
                print(f"  ok    {time.monotonic() - began:5.1f} s  {name}", flush=True)
            except Exception as error:  # Whatever went wrong, the other tests still tell something.
                failed += 1
                print(f"  FAIL  {name}: {error or type(error).__name__}", flush=True)
                if not isinstance(error, Broken):
                    traceback.print_exc()
                for complaints in directory.glob("*.stderr"):
                    print(complaints.read_text(errors="replace")[-1500:], flush=True)
            finally:
                timer.cancel()
                DIRECTORY.pop()
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
