#!/usr/bin/env python3
"""Embeds a small tree, compiles it with a program that prints what it finds, and compares.

embed_test.py CXX: run by ctest with the compiler of the build.
"""
import gzip
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = r"""
#include <cstdio>
#include "http/assets.h"
int main() {
  for (const auto& a : suan::http::console_assets()) {
    std::printf("%.*s|%.*s|%.*s|", int(a.path.size()), a.path.data(), int(a.content_type.size()),
                a.content_type.data(), int(a.etag.size()), a.etag.data());
    for (unsigned char c : a.gzip_bytes) std::printf("%02x", c);
    std::puts("");
  }
}
"""
FILES = {
    "index.html": "<!doctype html>算河".encode(),
    "assets/b.js": b"\x00\xff" * 5000,
    "assets/a.css": b"",
    "icon.svg": b"<svg/>",
}


def built(cxx, dist, work):
    out = work / "console_assets.cc"
    subprocess.run([sys.executable, ROOT / "tools/embed.py", dist, out], check=True)
    (work / "main.cc").write_text(PROGRAM)
    subprocess.run([cxx, "-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", ROOT / "src", out,
                    work / "main.cc", "-o", work / "show"], check=True)
    lines = subprocess.run([work / "show"], check=True, capture_output=True, text=True).stdout.splitlines()
    return out.read_text(), [line.split("|") for line in lines]


def main(cxx):
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        dist = work / "dist"
        for path, content in FILES.items():
            (dist / path).parent.mkdir(parents=True, exist_ok=True)
            (dist / path).write_bytes(content)
        text, rows = built(cxx, dist, work)
        assert [row[0] for row in rows] == sorted("/" + path for path in FILES), rows
        for path, content_type, etag, packed in rows:
            assert gzip.decompress(bytes.fromhex(packed)) == FILES[path[1:]], path
            assert etag[0] == etag[-1] == '"' and len(etag) == 34, etag
        assert len({row[2] for row in rows}) == len(rows), "entity tags repeat"
        assert dict((row[0], row[1]) for row in rows)["/icon.svg"] == "image/svg+xml"

        time.sleep(1.1)  # The same content makes the same file, whenever it is packed.
        again, same = built(cxx, dist, work)
        assert (again, same) == (text, rows)
        (dist / "icon.svg").write_bytes(b"<svg></svg>")
        _, changed = built(cxx, dist, work)
        assert [a[0] for a, b in zip(rows, changed) if a[2] != b[2]] == ["/icon.svg"]

        (dist / "odd.xyz").write_bytes(b"?")
        odd = subprocess.run([sys.executable, ROOT / "tools/embed.py", dist, work / "o.cc"], capture_output=True)
        assert odd.returncode != 0 and b"/odd.xyz" in odd.stderr
        _, none = built(cxx, work / "absent", work)
        assert none == [], none
    print("embed: ok")


if __name__ == "__main__":
    main(sys.argv[1])
