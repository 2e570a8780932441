# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the background Blender: read requests from standard input until it ends.

Started as Blender's `--python` script, or by the interpreter that has `bpy` as a module. Its folder
becomes a package of its own; nothing else of the add-on is imported in this process.
"""

from __future__ import annotations

import importlib
import importlib.util
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


if __name__ == "__main__":
    # numpy asks for pages of 2 MB, for which Linux may move others about: half a second for a
    # million triangles where memory is in pieces. It looks at this once, when it is imported.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    load_package()
    importlib.import_module(f"{PACKAGE}.protocol").serve()
