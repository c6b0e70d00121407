#!/usr/bin/env python3
"""Checks what the compiler cannot: the layering, the limits, the names. Run by `ctest -R tidy`.

The layers are the DEPENDS of suan_room() in CMakeLists.txt, so there is one list of them.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
PURE_ROOMS = r"src/(base|model|network|placement|identity|ledger|catalogue|market|jobs|domain|member)/"
VAGUE_NAMES = r"(?i)(^|_)(manager|util|helper|common|misc|handler|processor|impl|data|info|context)s?\.(h|cc)$"
BANNED = [  # (which files, pattern, what to do instead)
    (r".*", r"FIXME|XXX|DO NOT MERGE", "finish it before it lands"),
    (r".*", r"using namespace std\b", "spell std::"),
    (r".*\.h$", r"#include <(iostream|sstream|regex|filesystem|functional|future)>",
     "keep it out of headers: it costs 0.4 to 0.7 s in every file"),
    (r"src/(?!net/).*\.h$", r"#include [<\"]boost/", "Boost stays in .cc files and in src/net"),
    (r"src/(?!net/).*", r"#include [<\"]boost/(asio|beast)", "only net sees Asio and Beast"),
    (r"src/(?!wire/).*", r"#include [<\"]boost/json", "only wire sees Boost.JSON"),
    (PURE_ROOMS + r"(?!.*_test)", r"system_clock|steady_clock|random_device|\brand\(|unordered_|std::thread|\bfloat\b",
     "the core is deterministic: time and chance are arguments, iteration is ordered"),
]


def layers():
    text = (ROOT / "CMakeLists.txt").read_text()
    rooms = re.findall(r"^suan_room\((\w+)(?:\s+DEPENDS ([\w ]+?))?(?:\s+(?:LIBS|TEST_LIBS) [^)]*)?\)", text, re.M)
    return {name: set((needs or "").split()) for name, needs in rooms}


def reachable(name, direct):
    seen, todo = {name}, [name]
    while todo:
        for other in direct.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def check(path, direct):
    rel = path.relative_to(ROOT).as_posix()
    lines = path.read_text().split("\n")
    room = rel.split("/")[1]
    is_test = bool(re.search(r"_(test|fuzz)\.cc$", rel))
    if len(lines) > FILE_LINES_MAX:
        yield f"{rel}: {len(lines)} lines, at most {FILE_LINES_MAX}"
    if re.search(VAGUE_NAMES, path.name):
        yield f"{rel}: the file name says nothing; name what it holds"
    if room not in direct and room != "testing" and path.parent != ROOT / "src":
        yield f"{rel}: the room {room} is not in CMakeLists.txt"
    for where, pattern, advice in BANNED:
        if re.match(where, rel):
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    yield f"{rel}:{number}: {advice}"
    allowed = reachable(room, direct) | ({"testing"} if is_test else set())
    if path.parent == ROOT / "src":
        allowed = set(direct)
    for number, line in enumerate(lines, 1):
        found = re.match(r'#include "(\w+)/', line)
        if found and room != "testing" and found[1] not in allowed:
            yield f"{rel}:{number}: {room} may not include {found[1]}; see CMakeLists.txt"
    opened = None  # clang-format closes a function's brace in the first column.
    for number, line in enumerate(lines, 1):
        if re.match(r"\S.*[)a-z&>] \{$", line) and not re.match(r"(namespace|struct|class|enum|union|extern|template)\b", line):
            opened = number
        if line == "}" and opened:
            if number - opened + 1 > FUNCTION_LINES_MAX:
                yield f"{rel}:{opened}: a function of {number - opened + 1} lines, at most {FUNCTION_LINES_MAX}"
            opened = None


def main():
    direct = layers()
    paths = sorted(p for p in ROOT.glob("src/**/*") if p.suffix in (".h", ".cc"))
    found = [error for path in paths for error in check(path, direct)]
    print("\n".join(found) or f"tidy: {len(paths)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
