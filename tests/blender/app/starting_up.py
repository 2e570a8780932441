# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in a fresh interpreter with one of these arguments, and print its figures as JSON.

`start` imports and registers the add-on: the modules that were loaded, those loaded by `register()`
alone, and CPU milliseconds of import and of `register()`. `calls` counts the Python calls that
`register()` makes. `standard` times a fixed set of imports from the standard library without
Blender, which shows how fast this machine is at the moment. Each runs in its own process: a first
start is measured, and no step can disturb another.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

IMPORTED = ("asyncio", "email.mime.text", "http.server", "imaplib", "multiprocessing.pool", "pydoc",
            "smtplib", "tarfile", "unittest.mock", "xml.dom.minidom", "xmlrpc.client")  # fmt: skip


def _cpu(started: float) -> float:
    return (time.thread_time() - started) * 1000


def _standard() -> list[object]:
    started = time.thread_time()
    for name in IMPORTED:
        importlib.import_module(name)
    return [_cpu(started)]


def _start() -> list[object]:
    before = set(sys.modules)
    started = time.thread_time()
    import image_to_mesh

    imported, after_import = _cpu(started), set(sys.modules)
    started = time.thread_time()
    image_to_mesh.register()
    registered = _cpu(started)
    loaded, late = set(sys.modules) - before, set(sys.modules) - after_import
    return [sorted(loaded), sorted(late), imported, registered]


def _calls() -> list[object]:
    from fakes.promised import calls_of

    import image_to_mesh

    return [calls_of(image_to_mesh.register)]


def main() -> None:
    if sys.argv[1] != "standard":
        import bpy  # noqa: F401 - an add-on is imported after it

    figures = {"start": _start, "calls": _calls, "standard": _standard}[sys.argv[1]]()
    print(json.dumps(figures), flush=True)
    # Exit without finalizing Python, when bpy 4.2 frees the classes of panels, even unregistered
    # ones, after the interpreter that they belong to (PyThreadState_New with no interpreter).
    os._exit(0)


if __name__ == "__main__":
    main()
