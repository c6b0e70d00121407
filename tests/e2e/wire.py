"""A wire of Ethernet between this machine and a network namespace of its own, with a delay, losses and cuts: what
netem does where the kernel has it. The frames go through two TAP devices and this process."""
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
FRAME_BYTES_MAX = 65536


class NoNamespaces(Exception):
    """This machine, or whoever runs this, has no network namespaces."""


def ip(*words, check=True):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise NoNamespaces(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done


def open_tap(name):
    """A TAP device of the namespace that the calling thread is in."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def open_tap_in(namespace, name):
    """The same in a namespace, from a thread that goes there for it and ends."""
    found = []

    def go():
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}", "rb") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET) == 0:
                found.append(open_tap(name))
    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if not found:
        raise NoNamespaces(f"cannot enter {namespace}")
    return found[0]


class Wire:
    """Use as a context. `delay` and `jitter` are in seconds one way, `loss` a share of frames; frames that jitter
    makes faster overtake others. `cut_up` and `cut_down` drop what comes from the namespace, and what goes there."""

    def __init__(self, seed=1):
        self.namespace = f"suan-{os.getpid()}"
        net = f"10.77.{os.getpid() % 250}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self.delay = self.jitter = self.loss = 0.0
        self.cut_up = self.cut_down = False
        self.carried = self.lost = 0
        self.random = random.Random(seed)
        self.is_over = False

    def __enter__(self):
        if not os.path.exists("/dev/net/tun"):
            raise NoNamespaces("there is no /dev/net/tun")
        ip("netns", "add", self.namespace)
        try:
            name = f"suan{os.getpid() % 100000}"
            self.near = open_tap(name)
            self.far = open_tap_in(self.namespace, "wan0")
            ip("addr", "add", f"{self.here}/24", "dev", name)
            ip("link", "set", name, "up")
            for words in (("addr", "add", f"{self.there}/24", "dev", "wan0"), ("link", "set", "wan0", "up"),
                          ("link", "set", "lo", "up")):
                ip("-n", self.namespace, *words)
        except (NoNamespaces, OSError) as error:
            self.__exit__()
            raise NoNamespaces(str(error)) from None
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        if hasattr(self, "thread"):
            self.thread.join()
        for fd in (getattr(self, "near", -1), getattr(self, "far", -1)):
            if fd >= 0:
                os.close(fd)
        ip("netns", "del", self.namespace, check=False)

    def carry(self):
        waiting, number = [], 0
        while not self.is_over:
            wait = max(0.0, min(0.05, waiting[0][0] - time.monotonic())) if waiting else 0.05
            ready, _, _ = select.select([self.near, self.far], [], [], wait)
            for source in ready:
                is_up = source == self.far
                try:
                    frame = os.read(source, FRAME_BYTES_MAX)
                except BlockingIOError:
                    continue
                is_cut = self.cut_up if is_up else self.cut_down
                if is_cut or self.random.random() < self.loss:
                    self.lost += 1
                    continue
                at = time.monotonic() + max(0.0, self.delay + self.random.uniform(-self.jitter, self.jitter))
                number += 1
                heapq.heappush(waiting, (at, number, self.near if is_up else self.far, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, sink, frame = heapq.heappop(waiting)
                try:
                    os.write(sink, frame)
                    self.carried += 1
                except OSError:
                    self.lost += 1  # A full queue, as a real wire would have.
