# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard around all tests refuses connections that would leave this machine, and no others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import places

if TYPE_CHECKING:
    from pathlib import Path

_REACHING = """
import contextlib, socket

def test_connections_by_host_name_are_refused():
    with contextlib.suppress(Exception):
        socket.create_connection(("example.com", 80), timeout=1)

def test_connections_by_ip_address_are_refused():
    with contextlib.suppress(Exception), socket.socket() as line:
        line.connect(("192.0.2.1", 80))

def test_datagrams_without_a_connection_are_refused():
    with contextlib.suppress(Exception), socket.socket(type=socket.SOCK_DGRAM) as line:
        line.sendto(b"", ("192.0.2.1", 53))
"""


def test_other_machines_are_refused_even_if_exceptions_are_caught(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_bytes((places.ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_reaching.py").write_text(_REACHING, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path),
         str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(
            str(places.ROOT / folder) for folder in ("tools", "tests"))},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "3 failed" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("a test tried to reach") >= 3


def test_loopback_connections_are_allowed() -> None:
    with (
        socket.create_server(("localhost", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5),
    ):
        connection, _ = server.accept()
        connection.close()
