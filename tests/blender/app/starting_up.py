# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in a fresh interpreter with `bpy`: import and register the add-on, and print the cost.

Prints one JSON line: the modules that were loaded, those loaded by `register()` alone, Python calls
made by `register()`, and CPU milliseconds of import, `register()` and a fixed set of imports from
the standard library, which tell how fast this machine is just now.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

import bpy  # noqa: F401 - an add-on is imported after it

STANDARD = ("asyncio", "concurrent", "ctypes", "email", "html", "http", "imaplib",
            "multiprocessing", "pydoc", "smtplib", "ssl", "tarfile", "unittest", "xml",
            "xmlrpc")  # fmt: skip
"""Packages of the standard library, of which these are imported:"""
IMPORTED = ("asyncio", "email.mime.text", "http.server", "imaplib", "multiprocessing.pool", "pydoc",
            "smtplib", "tarfile", "unittest.mock", "xml.dom.minidom", "xmlrpc.client")  # fmt: skip


def _cpu(started: float) -> float:
    return (time.thread_time() - started) * 1000


def _standard_imports() -> float:
    """Import the fixed set as if none of it had been loaded, and return the milliseconds."""
    for name in [name for name in sys.modules if name.partition(".")[0] in STANDARD]:
        del sys.modules[name]
    started = time.thread_time()
    for name in IMPORTED:
        importlib.import_module(name)
    return _cpu(started)


def main() -> None:
    from fakes.promised import calls_of

    before = set(sys.modules)
    started = time.thread_time()
    import image_to_mesh

    imported, after_import = _cpu(started), set(sys.modules)
    started = time.thread_time()
    image_to_mesh.register()
    registered = _cpu(started)
    loaded, late = set(sys.modules) - before, set(sys.modules) - after_import
    image_to_mesh.unregister()
    calls = calls_of(image_to_mesh.register)
    figures = [sorted(loaded), sorted(late), calls, imported, registered, _standard_imports()]
    print(json.dumps(figures), flush=True)
    # Leave without Python's end: there bpy 4.2 frees the classes of panels, even of unregistered
    # ones, after the interpreter that they belong to (PyThreadState_New with no interpreter).
    os._exit(0)


if __name__ == "__main__":
    main()
