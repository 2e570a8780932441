# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools run on the three systems: layouts of environments, locks, and the checkout's link."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any

import environments
import places
import pytest

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
sys.path.insert(0, {tools!r})
import places
with places.hold_lock("shared"):
    print("held", flush=True)
    sys.stdin.readline()
    open({mark!r}, "w").close()
"""


@pytest.mark.parametrize(
    ("system", "python"), [("posix", "bin/python"), ("nt", "Scripts/python.exe")]
)
def test_environments_of_both_layouts(system: str, python: str, tmp_path: Path) -> None:
    assert environments.python_of(tmp_path, system) == tmp_path / python
    assert environments.scripts_of(tmp_path, system) == (tmp_path / python).parent


def test_this_systems_layout_is_the_one_that_venv_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    assert environments.python_of(tmp_path).is_file()


def test_a_lock_waits_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_CACHE", str(tmp_path / "cache"))
    mark = tmp_path / "through"
    source = HOLD.format(tools=str(places.ROOT / "tools"), mark=str(mark))
    with subprocess.Popen(
        [sys.executable, "-B", "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline().strip() == b"held"
        other.stdin.write(b"\n")
        other.stdin.flush()
        with places.hold_lock("shared"):
            assert mark.exists()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Windows' modules for locks and junctions, which record their calls."""
    calls: list[tuple[Any, ...]] = []

    def locking(handle: int, mode: int, size: int) -> None:
        calls.append(("locking", mode, size))
        if len(calls) < 3:
            raise OSError("held by another process")

    def create_junction(target: str, link: str) -> None:
        calls.append(("junction", target, link))

    stand_ins = {
        "msvcrt": types.SimpleNamespace(LK_NBLCK=2, locking=locking),
        "_winapi": types.SimpleNamespace(CreateJunction=create_junction),
    }
    for name, module in stand_ins.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(places, "sys", types.SimpleNamespace(platform="win32"))
    monkeypatch.setattr(places, "LOCK_RETRY", 0.0)
    return calls


def test_windows_locks_are_tried_until_they_are_free(
    windows: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_CACHE", str(tmp_path))
    with places.hold_lock("shared"):
        assert windows == [("locking", 2, 1)] * 3
    assert not places.is_root()


def test_windows_links_the_checkout_by_a_junction(
    windows: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows += [()] * 2  # no process holds the lock
    monkeypatch.setenv("IMAGE_TO_MESH_CACHE", str(tmp_path))
    monkeypatch.setattr(places, "IMPORTABLE", tmp_path / "import")
    assert places.link_checkout() == tmp_path / "import"
    link = str(tmp_path / "import" / "image_to_mesh")
    assert windows[-1] == ("junction", str(places.ROOT), link)
