# SPDX-License-Identifier: GPL-3.0-or-later
"""The one process that `soak.py` never kills: it orders in rounds and measures itself.

`soak_resident.py FOLDER PROVIDER…` runs the command line in this process until standard input ends.
It prints a line of JSON for each round: megabytes of memory, handles, threads, temporary files.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

PICTURES = 6
QUIET = 3.0
"""Seconds to wait for the threads of abandoned calls to end."""


def measure(folder: Path, before: int) -> dict[str, float]:
    """Return the memory in MB, handles, threads, and temporary files of this process.

    First wait until the process has no more than `before` threads, for at most QUIET seconds.
    Raises OSError on systems other than Linux.
    """
    if sys.platform != "linux":
        raise OSError("only on Linux")
    until = time.monotonic() + QUIET
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    # Objects in reference cycles would count as growth until the collector runs by itself.
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    remaining = [file for file in Path(tempfile.gettempdir()).iterdir() if file != folder]
    return {
        "memory": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "handles": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names alone are wanted
        "threads": threading.active_count(),
        "temporary": len(remaining),
    }


def order(folder: Path, providers: list[str], number: int) -> int:
    """Generate meshes from a few new images in a new library, then delete the library.

    `providers` take turns. Return the command line's exit code.
    """
    from fakes.ordered import write_pictures

    from image_to_mesh.cli.entry import main

    work = folder / "round"  # the same each time: what is kept for a library is kept once
    names = [providers[place % len(providers)] for place in range(PICTURES)]
    table = write_pictures(work, names, number * PICTURES)
    library = str(work / "library")
    with contextlib.redirect_stdout(sys.stderr):
        code = main(["batch", str(table), "--library", library, "--quiet"])
    shutil.rmtree(work)
    return code


def main() -> None:
    folder, providers, over = Path(sys.argv[1]), sys.argv[2:], threading.Event()

    def watch() -> None:
        sys.stdin.read()
        over.set()

    # A thread, since reading standard input blocks until the parent closes it.
    threading.Thread(target=watch, daemon=True).start()
    threads, number = threading.active_count(), 0
    while not over.is_set():
        code = order(folder, providers, number)
        number += 1
        print(json.dumps({"code": code, **measure(folder, threads)}), flush=True)


if __name__ == "__main__":
    main()
