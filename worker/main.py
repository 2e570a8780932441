# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of the background Blender: answer requests until standard input ends.

It runs as Blender's `--python` script, or in a Python interpreter that has the `bpy` module; the
command line may then name a folder to import `bpy` from. The worker folder becomes a package of its
own, and nothing else of the add-on is imported in this process.

The first line of standard input is a JSON object with a `token` and the `folder` for temporary
files. Before anything is imported, standard output is reserved for answers, which all start with
the token; all other output, from Python or C, goes to standard error. Text that an importer
prints from a file can therefore never pass for an answer.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

PACKAGE = "image_to_mesh_background"


def load_package() -> None:
    """Make this folder importable as `PACKAGE`, regardless of the folder's own name."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def leave_processors() -> None:
    """Limit NumPy's matrix products to half of the processors; call before NumPy is first imported.

    The artist's Blender needs the others. On a busy computer, threads that wait for each other
    would also take longer than a single thread. An OMP_NUM_THREADS or OPENBLAS_NUM_THREADS that is
    already set takes precedence.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        half = max(1, (os.cpu_count() or 1) // 2)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(half))


def reserve_stdout() -> int:
    """Reserve standard output for answers, and return a copy of its descriptor.

    From then on, everything that prints to standard output writes to standard error.
    """
    # File descriptors rather than sys.stdout: libraries in C and C++ print, too.
    channel = os.dup(1)
    os.dup2(2, 1)  # guard: worker-output-is-private
    return channel


if __name__ == "__main__":
    answers = reserve_stdout()
    greeting = json.loads(sys.stdin.buffer.readline() or "{}")
    # numpy requests 2 MB pages, and on fragmented memory Linux moves other pages to provide them,
    # which costs half a second for a million triangles. numpy reads this variable once, at import.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    leave_processors()
    if "--python" not in sys.argv:
        sys.path.extend(path for path in sys.argv[1:] if path not in sys.path)
    load_package()
    protocol = importlib.import_module(f"{PACKAGE}.protocol")
    protocol.serve(answers, greeting.get("token", ""), greeting.get("folder", ""))
