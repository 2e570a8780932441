# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a job's model and the mesh edits that make them, with a fake Blender."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from image_to_mesh.jobs.disk.signatures import is_marked, mark_file
from image_to_mesh.jobs.library import file_names, versions
from image_to_mesh.jobs.tasks.edit_values import EditRequest, EditView
from image_to_mesh.jobs.tasks.mesh_edits import MeshEdit, MeshEdits
from image_to_mesh.providers import LibraryProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.once

WORKER = """
import json, sys, time
token = json.loads(sys.stdin.readline())["token"]
def say(**what): print(f"\\n@image_to_mesh {token} " + json.dumps(what), flush=True)
say(ready={"blender": [5, 0, 1], "pid": 1})
for line in sys.stdin:
    request = json.loads(line)
    if request["asked"].get("wait"):
        say(id=request["id"], progress=0.5, phase="Waiting")
        time.sleep(60)
    if request["asked"].get("refuse"):
        say(id=request["id"], refused={"kind": "failed", "message": "No.", "hint": "Ask less."})
        continue
    if request["output"].endswith(".blend"):
        open(request["output"], "w").write(request["blend"])
    changed = request["task"] != "card" and not request["asked"].get("idle")
    say(id=request["id"], done={"card": {"faces": 7}, "notes": ["Done."], "changed": changed})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.blend").write_text("original")
    mark_file(tmp_path / "model.blend")
    return tmp_path


@pytest.fixture
def mesh_edits() -> Iterator[MeshEdits]:
    made = MeshEdits()
    yield made
    made.close(10)


def begin(mesh_edits: MeshEdits, folder: Path, task: str, **asked: object) -> MeshEdit:
    order = EditRequest("job", "photo", folder, task, asked=asked)
    return mesh_edits.start(order, (sys.executable, "-c", WORKER))


def wait_for_edit(care: MeshEdit) -> EditView:
    care.thread.join(60)
    assert care.view.over, "the edit did not end within 60 s"
    return care.view


def test_each_version_gets_the_next_number(folder: Path, mesh_edits: MeshEdits) -> None:
    for number in (2, 3):
        view = wait_for_edit(begin(mesh_edits, folder, "clean", fill=number))
        assert (view.version, view.phase) == (f"model-v{number}.blend", "Done")
    assert (folder / "model.blend").read_text() == "original"
    known = versions.versions(folder)
    assert [name.file for name in known] == ["model.blend", "model-v2.blend", "model-v3.blend"]
    assert (known[1].made_by, known[1].asked, known[1].card) == ("clean", {"fill": 2}, {"faces": 7})


def test_a_mesh_report_is_stored_with_its_version(folder: Path, mesh_edits: MeshEdits) -> None:
    view = wait_for_edit(begin(mesh_edits, folder, "card"))
    assert (view.version, view.card) == ("", {"faces": 7})
    assert versions.versions(folder) == [versions.Version("model.blend", card={"faces": 7})]


@pytest.mark.parametrize("task", ["clean", "card"])
def test_an_untrusted_model_is_not_edited(folder: Path, mesh_edits: MeshEdits, task: str) -> None:
    (folder / "model.blend").write_text("a stranger's")
    view = wait_for_edit(begin(mesh_edits, folder, task))
    assert view.failure is not None
    assert "not created by you on this computer" in view.failure.message
    assert [path.name for path in folder.glob("model-v*")] == []


def test_a_version_is_signed_and_made_in_a_private_folder(
    folder: Path, mesh_edits: MeshEdits
) -> None:
    assert wait_for_edit(begin(mesh_edits, folder, "clean")).version == "model-v2.blend"
    assert is_marked(folder / "model-v2.blend")
    folder.chmod(0o777)
    assert wait_for_edit(begin(mesh_edits, folder, "clean")).version == "model-v3.blend"
    assert is_marked(folder / "model-v3.blend")
    # The stand-in records the file it was given: a copy, in a folder of the user's own.
    assert not (folder / "model-v3.blend").read_text().startswith(str(folder))


def test_a_refused_edit_leaves_no_version(folder: Path, mesh_edits: MeshEdits) -> None:
    view = wait_for_edit(begin(mesh_edits, folder, "quads", refuse=True))
    assert view.failure is not None
    assert (view.failure.message, view.failure.hint) == ("No.", "Ask less.")
    assert [version.file for version in versions.versions(folder)] == ["model.blend"]
    assert mesh_edits.take_ended() == [view]
    assert mesh_edits.take_ended() == []


def test_mesh_edits_run_one_at_a_time_and_can_be_stopped(
    folder: Path, mesh_edits: MeshEdits
) -> None:
    care = begin(mesh_edits, folder, "quads", wait=True)
    with pytest.raises(LibraryProblem, match="already being processed"):
        begin(mesh_edits, folder, "clean")
    assert mesh_edits.stop("job")
    assert wait_for_edit(care).phase == "Canceled"
    assert not mesh_edits.stop("job")
    assert wait_for_edit(begin(mesh_edits, folder, "clean")).version == "model-v2.blend"


def test_a_program_that_is_not_blender_is_reported(folder: Path, mesh_edits: MeshEdits) -> None:
    order = EditRequest("job", "photo", folder, "card")
    view = wait_for_edit(mesh_edits.start(order, (str(folder / "nothing"),)))
    assert view.failure is not None
    assert view.failure.kind == "no_blender"


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"file": 3, "what": 1}]', "null"])
def test_a_broken_version_list_loses_no_version(text: str, folder: Path) -> None:
    (folder / "versions.json").write_text(text)
    (folder / "model-v2.blend").write_text("2")
    assert [version.file for version in versions.versions(folder)] == [
        "model.blend",
        "model-v2.blend",
    ]
    versions.remember(folder, versions.Version("model-v2.blend", "clean"))
    assert versions.versions(folder)[1].made_by == "clean"


def test_versions_are_in_the_order_of_their_numbers(folder: Path) -> None:
    for number in (10, 2, 9):
        (folder / f"model-v{number}.blend").write_text("")
    files = [version.file for version in versions.versions(folder)]
    assert files == ["model.blend", "model-v2.blend", "model-v9.blend", "model-v10.blend"]
    assert versions.next_file(folder) == "model-v11.blend"


@pytest.mark.parametrize("name", ["../model-v2.blend", "model-v2.blend.py", "x", "model-v.blend"])
def test_a_version_is_never_outside_of_the_folder(name: str) -> None:
    with pytest.raises(LibraryProblem):
        file_names.version_file(name)
