# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of broken mesh files: each is refused with a sentence or accepted."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from fakes.broken import broken, whole
from unit.worker_package import load

from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.providers import BadMesh

check_mesh_file = load("checks.mesh_file").check_mesh_file
unpack_archive = load("checks.archives").unpack_archive
Refusal = load("refusal").Refusal

COUNT = 2000
LONGEST = 10.0


def refusal_of(path: Path) -> str:
    """Check a file as the background Blender does before the import; return "" if it passes."""
    try:
        with unpack_archive(str(path)) as (mesh, home):
            assert Path(mesh).is_relative_to(home)
            assert mesh == str(path) or Path(home).is_relative_to(tempfile.gettempdir())
            check_mesh_file(mesh, readable=frozenset(), blender="9.9")
    except Refusal as refusal:
        return f"{refusal.kind}: {refusal.message}"
    return ""


def objection_to(path: Path) -> str:
    """Check a file as a job does after the download; return "" if it passes."""
    try:
        found = read_mesh_file(path)
    except BadMesh as refusal:
        return f"{refusal.kind}: {refusal.message}"
    assert found.format in (None, "glb", "fbx", "obj")
    return ""


def is_sentence(said: str) -> bool:
    """Return whether a refusal is a sentence for users."""
    kind, _, words = said.partition(": ")
    return kind == "bad_mesh" and words[0].isupper() and words[-1] == "." and len(words) < 300


@pytest.mark.parametrize("name", sorted(whole()))
def test_whole_files_pass(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(whole()[name])
    assert objection_to(path) == refusal_of(path) == ""


@pytest.mark.once
@pytest.mark.timeout(180)
def test_broken_files_are_refused_or_usable(tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    canary = tmp_path / "secret.png"
    canary.write_bytes(b"secret")
    passed, slowest = 0, 0.0
    for entry in broken(5, COUNT, canary):
        path = job / f"mesh.{entry.suffix}"
        path.write_bytes(entry.data)
        started = time.monotonic()
        try:
            said = [item for item in (objection_to(path), refusal_of(path)) if item]
        except Exception as error:
            raise AssertionError(f"{entry.name}: {error!r}") from error
        assert all(map(is_sentence, said)), (entry.name, said)
        passed += not said
        slowest = max(slowest, time.monotonic() - started)
        path.unlink()
        assert not list(job.iterdir()), entry.name
        assert sorted(tmp_path.iterdir()) == [job, canary], entry.name
    assert canary.read_bytes() == b"secret"
    assert slowest < LONGEST
    print(f"{passed} of {COUNT} broken files pass; the slowest took {slowest:.2f} s")
    # Damage outside of what is checked, such as a picture's bytes or a point's place.
    assert 0.1 < passed / COUNT < 0.7
