#!/usr/bin/env python3
"""https from end to end: a server with a certificate, a CLI that trusts its CA, and all that may be wrong."""
import http.client
import os
import signal
import ssl
import subprocess

import testbed
from testbed import SUAN, expect, expect_equal, until


class Authority:
    """A CA of a test's own, by the openssl command."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = directory, name
        self.ca = directory / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name} of a test", "-keyout", directory / f"{name}.key", "-out", self.ca)

    def certify(self, names="IP:127.0.0.1,DNS:localhost", days=1):
        """Writes server.pem and server.key."""
        request = self.directory / "server.csr"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server",
                "-keyout", self.directory / "server.key", "-out", request)
        (self.directory / "names").write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.directory / f"{self.name}.key",
                "-CAcreateserial", "-days", str(days), "-extfile", self.directory / "names",
                "-out", self.directory / "server.pem")


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    expect_equal(done.returncode, 0, f"openssl {words[0]}: {done.stderr}")


def start(directory, *flags):
    server = testbed.Server(directory, "--cores", "2", "--tls-certificate", str(directory / "server.pem"),
                            "--tls-key", str(directory / "server.key"), *flags)
    server.ca = directory / "ca.pem"
    return server.start()


def suan(server, *words, stdin=None, wanted=0, **variables):
    home = server.directory / "home"
    home.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "SUAN_URL": server.url,
           "SUAN_KEY": server.key, **variables}
    env = {name: value for name, value in env.items() if value is not None}
    done = subprocess.run([SUAN, *words], env=env, capture_output=True, text=True, input=stdin, timeout=60,
                          cwd=server.directory, check=False)
    expect_equal(done.returncode, wanted, f"suan {' '.join(words)}: {done.stdout[-300:]}{done.stderr[-500:]}")
    return done


def test_jobs_over_https(directory):
    Authority(directory).certify()
    server = start(directory)
    server.make_project("lab")
    ca = str(server.ca)
    done = suan(server, "run", "-y", "-p", "lab", "--", "seq 20000; exit 5", wanted=5, SUAN_CA_FILE=ca)
    expect_equal(done.stdout.split(), [str(n) for n in range(1, 20001)], "the output of a job over https")
    job = suan(server, "run", "-d", "-y", "-p", "lab", "--", "sleep 100", SUAN_CA_FILE=ca).stdout.strip()
    server.wait_for(job, "running")
    done = suan(server, "exec", job, "--", "cat; exit 6", stdin="there and back", wanted=6, SUAN_CA_FILE=ca)
    expect_equal(done.stdout, "there and back", "a command beside a job, over wss")
    expect("is not trusted here" in suan(server, "exec", job, "--", "true", wanted=4).stderr, "an unknown CA")
    expect_equal(suan(server, "ps", "-a", "--ca-file", ca, "-o", "json").stdout.count('"job-1"'), 1, "suan ps")
    curl = suan(server, "ps", "-a", "--ca-file", ca, "--curl").stdout
    answer = subprocess.run(curl, shell=True, env={**os.environ, "SUAN_KEY": server.key}, capture_output=True,
                            text=True, check=False)
    expect("job-1" in answer.stdout, f"{curl}: {answer.stdout}{answer.stderr}")
    expect_equal(server.stop(), 0, "the exit code of the server")


def test_login_remembers_the_ca(directory):
    Authority(directory).certify()
    server = start(directory)
    suan(server, "login", server.url, "--key-file", "-", "--ca-file", "ca.pem", stdin=server.key,
         SUAN_KEY=None, SUAN_URL=None)
    (directory / "elsewhere").mkdir()
    done = suan(server, "ps", "-a", SUAN_KEY=None, SUAN_URL=None)
    expect("ca.pem" in (directory / "home/.config/suan/config.json").read_text(), "the config names the CA")
    expect_equal(done.returncode, 0, "suan ps with what login remembers")


def test_the_cli_says_what_it_does_not_trust(directory):
    authority = Authority(directory)
    authority.certify()
    server = start(directory)
    done = suan(server, "ps", wanted=1)
    expect("is not trusted here" in done.stderr and "SUAN_CA_FILE" in done.stderr, done.stderr)
    authority.certify(names="DNS:suan.example")
    os.kill(server.pid(), signal.SIGHUP)
    until(lambda: "read again" in server.complaint(), 10, "the certificate is read again")
    done = suan(server, "ps", wanted=1, SUAN_CA_FILE=str(server.ca))
    expect("it names suan.example" in done.stderr, done.stderr)
    done = suan(server, "ps", wanted=1, SUAN_CA_FILE=str(directory / "none.pem"))
    expect("none.pem: No such file" in done.stderr, done.stderr)
    plain = testbed.Server(directory, name="plain").start()
    done = suan(server, "ps", wanted=1, SUAN_URL=f"https://127.0.0.1:{plain.port}")
    expect("does not speak TLS" in done.stderr, done.stderr)


def test_a_new_certificate_cuts_nobody(directory):
    authority = Authority(directory)
    authority.certify()
    server = start(directory)
    trust = ssl.create_default_context(cafile=server.ca)
    link = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=trust)

    def ask(on):
        on.request("GET", "/v1/version", headers={"Authorization": f"Bearer {server.key}"})
        answer = on.getresponse()
        answer.read()
        return answer.status
    first = ask(link)
    old = link.sock.getpeercert()["serialNumber"]
    authority.certify()
    os.kill(server.pid(), signal.SIGHUP)
    until(lambda: "read again" in server.complaint(), 10, "the certificate is read again")
    expect_equal(ask(link), first, "the connection that was open")
    other = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=trust)
    expect_equal(ask(other), first, "a new connection")
    expect(other.sock.getpeercert()["serialNumber"] != old, "a new connection sees the new certificate")
    (directory / "server.key").write_text("broken\n")
    os.kill(server.pid(), signal.SIGHUP)
    until(lambda: "nothing has changed" in server.complaint(), 10, "the broken key is refused")
    expect_equal(ask(http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=trust)), first,
                 "a connection after a broken key")


def test_a_server_refuses_wrong_files(directory):
    Authority(directory).certify()
    other = directory / "other"
    other.mkdir()
    Authority(other).certify()

    def refused(certificate, key, wanted=1):
        done = subprocess.run([SUAN, "serve", "--state", str(directory / "state"), "--listen", "127.0.0.1:0",
                               "--tls-certificate", str(certificate), *(["--tls-key", str(key)] if key else [])],
                              capture_output=True, text=True, timeout=60, check=False)
        expect_equal(done.returncode, wanted, done.stderr)
        return done.stderr
    certificate, key = directory / "server.pem", directory / "server.key"
    expect("cannot read the certificate" in refused(directory / "none", key), "a missing file is named")
    expect("is not that of" in refused(certificate, other / "server.key"), "a mismatch is named")
    expect("holds no certificate" in refused(key, key), "a key is no certificate")
    expect("go together" in refused(certificate, None, wanted=2), "a certificate without its key")


def test_plain_http_for_others_is_warned_of(directory):
    for listen, warns in (("127.0.0.1:0", False), ("0.0.0.0:0", True)):
        log = directory / f"{warns}.stderr"
        with open(log, "wb") as errors:
            process = subprocess.Popen([SUAN, "serve", "--state", str(directory / "state"), "--listen", listen],
                                       stdout=subprocess.PIPE, stderr=errors)
        expect(b"ready" in process.stdout.readline(), "the server is ready")
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        expect_equal("unencrypted" in log.read_text(), warns, f"a warning at {listen}")


if __name__ == "__main__":
    testbed.run_tests([test_jobs_over_https, test_login_remembers_the_ca,
                       test_the_cli_says_what_it_does_not_trust, test_a_new_certificate_cuts_nobody,
                       test_a_server_refuses_wrong_files, test_plain_http_for_others_is_warned_of])
