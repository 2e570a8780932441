# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the background Blender: read requests from standard input until it ends.

Started as Blender's `--python` script, or by the interpreter that has `bpy` as a module, which may
be told a folder to find it in. This folder becomes a package of its own; nothing else of the add-on
is imported in this process.

The first line of standard input is a JSON object with a `token`, and the `folder` for temporary
files. Before anything is imported, standard output is kept for answers alone, each with the token
in front; what else is printed, in Python or C, goes to standard error. So nothing that an importer
prints of a file can be taken for an answer.
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
    """Make this folder importable as `PACKAGE`, whatever its path is called."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def private_output() -> int:
    """Return a descriptor of what was standard output, which is standard error from now on."""
    channel = os.dup(1)
    os.dup2(2, 1)  # guard: worker-output-is-private
    return channel


if __name__ == "__main__":
    answers = private_output()
    greeting = json.loads(sys.stdin.buffer.readline() or "{}")
    # numpy asks for pages of 2 MB, for which Linux may move others about: half a second for a
    # million triangles where memory is in pieces. It looks at this once, when it is imported.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    if "--python" not in sys.argv:
        sys.path.extend(place for place in sys.argv[1:] if place not in sys.path)
    load_package()
    protocol = importlib.import_module(f"{PACKAGE}.protocol")
    protocol.serve(answers, greeting.get("token", ""), greeting.get("folder", ""))
