#!/usr/bin/env python3
"""Puts the built console into one C++ file: embed.py DIST OUT.cc

Each file of DIST is compressed beside OUT.cc and taken in by the assembler (.incbin), so megabytes cost
no compile time. The table is what src/http/assets.h promises: ordered by path, gzip, with entity tags.
The same DIST gives the same bytes. Without DIST/index.html the table is empty.
"""
import gzip
import hashlib
import pathlib
import sys

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

BLOB = """\
__asm__(R"(
  .section .rodata
  .global suan_console_{n}
  .global suan_console_{n}_end
suan_console_{n}:
  .incbin "{file}"
suan_console_{n}_end:
  .byte 0
  .previous
)");
extern "C" const char suan_console_{n}[], suan_console_{n}_end[];
"""

HEAD = """\
// Written by tools/embed.py.
#include "http/assets.h"

"""

TABLE = """
namespace suan::http {{

std::span<const Asset> console_assets() {{
{body}}}

}}  // namespace suan::http
"""


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(dist):
    """(path, file) of every asset, ordered by the bytes of the path."""
    if not (dist / "index.html").is_file():
        return []
    files = [file for file in dist.rglob("*") if file.is_file()]
    paths = {"/" + file.relative_to(dist).as_posix(): file for file in files}
    unknown = sorted(path for path, file in paths.items() if file.suffix not in CONTENT_TYPES)
    if unknown:
        sys.exit(f"embed.py: no content type for {', '.join(unknown)}")
    return sorted(paths.items(), key=lambda entry: entry[0].encode())


def embed(dist, out):
    blobs, rows = [], []
    blob_dir = out.with_suffix(".gz.d")
    blob_dir.mkdir(parents=True, exist_ok=True)
    for n, (path, file) in enumerate(listed(dist)):
        plain = file.read_bytes()
        blob = blob_dir / f"{n}.gz"
        blob.write_bytes(gzip.compress(plain, 9, mtime=0))
        tag = hashlib.blake2b(plain, digest_size=16).hexdigest()
        name = f"suan_console_{n}"
        blobs.append(BLOB.format(n=n, file=blob.resolve().as_posix()))
        rows.append("      {%s, %s, {%s, %s_end}, %s},\n" % (
            quoted(path), quoted(CONTENT_TYPES[file.suffix]), name, name, quoted(f'"{tag}"')))
    if rows:
        body = "  static const Asset assets[] = {\n" + "".join(rows) + "  };\n  return assets;\n"
    else:
        body = "  return {};\n"
    text = HEAD + "".join(blobs) + TABLE.format(body=body)
    out.write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    embed(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
