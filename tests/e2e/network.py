"""Several domains that have joined one another, and links between them that can be cut."""
import contextlib
import pathlib
import socket
import threading
import time

from testbed import Server, expect_equal, until

NO_ENGINE = "engine: none\n"


class Link:
    """Carries TCP from a port of its own to a server's, until it is cut or stalled."""

    def __init__(self, server, host="127.0.0.1"):
        self.server = server
        self.is_cut, self.is_stalled = False, threading.Event()
        self.is_stalled.set()  # Set = bytes flow.
        self.delay, self.pairs, self.lock = 0.0, [], threading.Lock()
        self.bytes = 0  # Both ways.
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                if self.is_cut:
                    raise OSError
                far = socket.create_connection(("127.0.0.1", self.server.port), 5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            with self.lock:
                self.pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                self.is_stalled.wait()
                sink.sendall(data)
                with self.lock:
                    self.bytes += len(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.is_cut = True
        with self.lock:
            for each in self.pairs:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self.pairs.clear()

    def mend(self):
        self.is_cut = False

    def stall(self):
        """Nothing arrives any more and nothing is lost: a frozen link."""
        self.is_stalled.clear()

    def flow(self):
        self.is_stalled.set()


class Node:
    """A domain, and its link to the one it joins."""

    def __init__(self, directory, name, parent=None, engine=True, flags=(), site_file=None):
        self.name, self.parent = name, parent
        self.parent_url = None  # Instead of the link's.
        self.directory = pathlib.Path(directory)
        self.link = Link(parent.server) if parent else None
        more = list(flags)
        if site_file:
            more += ["--site-file", str(site_file)]
        elif not engine:
            site = self.directory / f"{name}.yaml"
            site.write_text(NO_ENGINE)
            more += ["--site-file", str(site)]
        else:
            more += ["--site", name]
        self.base = ["--name", name, *more]
        self.server = Server(directory, *self.base, name=name)

    def start(self, token=None):
        join = ["--join", self.parent_url or self.link.url] if self.link else []
        self.server.flags = [*self.base, *join, *(["--join-token", token] if token else [])]
        self.server.start(self.server.port)
        return self

    def restart(self):
        return self.start()

    def make_token(self):
        return self.server.change("POST", "/v1/join-tokens", {"label": "test"})["secret"]

    def member(self, name):
        for each in self.server.read("/v1/members")["members"]:
            if each["name"] == name:
                return each
        return None

    def approve(self, name):
        until(lambda: self.member(name), 20, f"{name} asks to join {self.name}")
        self.server.change("POST", f"/v1/members/{name}/approve")

    def wait_member(self, name, seconds=20):
        def is_there():
            member = self.member(name)
            return member and member["connected"] and member["pools"]
        until(is_there, seconds, f"{name} is connected to {self.name}")


def join(child):
    """Starts a domain and takes it through token and approval."""
    child.start(child.parent.make_token())
    child.parent.approve(child.name)
    child.parent.wait_member(child.name)
    return child


def three_levels(directory, site_flags=(), site_file=None):
    """A country, a province and a site, all joined; the site has the engine."""
    country = Node(directory, "country", engine=False).start()
    province = Node(directory, "province", country, engine=False)
    province.start(country.make_token())
    country.approve("province")
    site = join(Node(directory, "site", province, flags=site_flags, site_file=site_file))
    country.wait_member("province")
    country.server.make_project("lab")
    return country, province, site


def make_stores(directory):
    """Two stores that are directories: `bucket` by projects, and a public `models`."""
    disk = directory / "disk"
    (disk / "bucket").mkdir(parents=True)
    (disk / "models/llama").mkdir(parents=True)
    (disk / "models/llama/8b").write_text("weights\n")
    stores = directory / "stores.conf"
    stores.write_text(f"[bucket]\ntype = alias\nremote = {disk}/bucket\n"
                      f"[models]\ntype = alias\nremote = {disk}/models\nsuan_access = public\n")
    return disk, stores


def money_of(server, project):
    for each in server.read("/v1/projects")["projects"]:
        if each["name"] == project:
            return each
    return None


def expect_settled(country, *others):
    """Nothing is held any more, and what the guests were allotted and did not use has gone back."""
    expect_equal(money_of(country.server, "lab")["held"], "0", "held at the top")
    for node in others:
        project = f"via-{node.parent.name}"

        def is_settled():
            money = money_of(node.server, project)
            return money and money["held"] == "0" and money["available"] == "0"
        until(is_settled, 20, f"{node.name} has given back what it did not use: {money_of(node.server, project)}")
