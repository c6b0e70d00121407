"""How the network talks: as tools/door/say.sh does, in short lines with the seconds since it began."""
import sys
import time

began = time.monotonic()


def begin(seconds):
    """Goes on from so many seconds of the front door."""
    global began
    began = time.monotonic() - seconds
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)


def say(text):
    print(f"[{int(time.monotonic() - began):4d} s] {text}")


def tell(text=""):
    """A line of its own, below what was said."""
    print(f"         {text}" if text else "")


def show(command, output):
    """What a person would type, and what came of it."""
    print(f"\n$ {command}\n{output.rstrip()}")


def chosen(pool):
    """"lingang" of the pool "shanghai.lingang.lingang/h800"."""
    return pool.split("/")[0].split(".")[-1]


def price(text):
    """"32.60" of "32.6"; what is less than a fen is shown as it is."""
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"
