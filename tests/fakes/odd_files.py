# SPDX-License-Identifier: GPL-3.0-or-later
"""Links, pipes, folders and devices in place of files, and calls that must not hang on them."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOON = 5.0
"""Seconds after which a call counts as hanging: opening a pipe without a writer never returns."""


def a_link(path: Path, private: Path) -> None:
    path.symlink_to(private)


def zeroes(path: Path, private: Path) -> None:
    path.symlink_to("/dev/zero")


def a_pipe(path: Path, private: Path) -> None:
    if sys.platform == "win32":
        raise OSError("only on Unix")
    os.mkfifo(path)


def a_socket(path: Path, private: Path) -> None:
    if sys.platform == "win32":
        raise OSError("only on Unix")
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def a_folder(path: Path, private: Path) -> None:
    path.mkdir()


def a_sparse_file(path: Path, private: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 * 10**9)


def nothing(path: Path, private: Path) -> None:
    path.symlink_to("nowhere")


_UNIX = () if sys.platform == "win32" else (zeroes, a_pipe, a_socket)
ODD = (a_link, *_UNIX, a_folder, a_sparse_file, nothing)
odd = pytest.mark.parametrize("odd", ODD, ids=lambda item: item.__name__)


def soon(work: Callable[[], Any]) -> Any:
    """Return what a call returns, or the error that it raises, unless it hangs."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001 - what came of it is for the test to say
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON)
    assert found, "it hangs"
    return found[0]
