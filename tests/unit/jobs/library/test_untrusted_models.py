# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that others made or can change, and a library that is private and portable."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.strangers import become_other_user, running_record

from image_to_mesh.jobs import Library, State
from image_to_mesh.jobs.disk.signatures import is_marked, mark_file, settings_folder
from image_to_mesh.jobs.disk.trust import (
    check_ticket,
    has_strangers_models,
    is_private,
    model_to_read,
    workshop,
)
from image_to_mesh.jobs.library.store import JOB_ID, library_folder
from image_to_mesh.jobs.steps.prepare import model_request
from image_to_mesh.providers import LibraryProblem

pytestmark = pytest.mark.usefixtures("a_user")


# -- models ----------------------------------------------------------------------------------------


def test_a_model_is_recognized_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blend = tmp_path / "model.blend"
    blend.write_bytes(b"model")
    assert not is_marked(blend)
    mark_file(blend)
    assert is_marked(blend)
    blend.write_bytes(b"other")
    assert not is_marked(blend)
    blend.write_bytes(b"model")
    assert is_marked(blend)
    become_other_user(monkeypatch, tmp_path)
    assert not is_marked(blend)


def test_a_model_is_prepared_in_a_private_folder(root: Path) -> None:
    library = Library(root)
    library.create(running_record(mesh="mesh.glb"), {"mesh.glb": b"mesh"})
    folder = library.folder("cup")
    with model_request(folder, library.load("cup"), {}, in_parts=True) as request:
        assert request["output"] == str(folder / "model.blend")
        assert request["parts"]
        (folder / "model.blend").write_bytes(b"model")
    assert is_marked(folder / "model.blend")
    root.chmod(0o777)
    (folder / "preview.png").symlink_to("/dev/zero")
    with model_request(folder, library.load("cup"), {}, in_parts=True) as request:
        output = Path(request["output"])
        assert output.parent != folder
        assert output.parent.stat().st_mode & 0o077 == 0
        assert (request["parts"], request["render_preview"]) == (None, True)
        assert request["mesh"] == str(folder / "mesh.glb")
        output.write_bytes(b"made again")
    assert (folder / "model.blend").read_bytes() == b"made again"
    assert is_marked(folder / "model.blend")
    assert not output.parent.exists()


def test_a_model_is_read_from_a_private_copy(root: Path) -> None:
    Library(root).create(running_record(), {"model.blend": b"model"})
    blend = root / "cup" / "model.blend"
    mark_file(blend)
    with model_to_read(blend) as path:
        assert path == blend
    root.chmod(0o777)
    with model_to_read(blend) as path:
        assert path != blend
        blend.write_bytes(b"other")
        assert path.read_bytes() == b"model"
    with (
        pytest.raises(LibraryProblem, match="not created by you on this computer"),
        model_to_read(blend),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize(
    ("mode", "folder_mode", "private"),
    [(0o700, 0o755, True), (0o755, 0o755, True), (0o777, 0o755, False), (0o755, 0o777, False),
     (0o1777, 0o755, False), (0o757, 0o700, False)],
)  # fmt: skip
def test_a_folder_is_private_where_nobody_else_can_write(
    root: Path, mode: int, folder_mode: int, private: bool
) -> None:
    Library(root).create(running_record(), {})
    root.chmod(mode)
    (root / "cup").chmod(folder_mode)
    assert is_private(root / "cup") is private
    with workshop(root / "cup") as place:
        assert (place == root / "cup") is private


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="nobody gives away")
def test_a_folder_of_another_user_is_not_private(root: Path) -> None:
    Library(root).create(running_record(), {})
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    os.chown(root / "cup", 12345, -1)
    assert not is_private(root / "cup")


def test_the_asset_browser_gets_no_untrusted_models(root: Path, a_user: Path) -> None:
    library = Library(root)
    library.create(running_record(), {"model.blend": b"model"})
    assert has_strangers_models(library), "a model without a mark"
    mark_file(root / "cup" / "model.blend")
    assert not has_strangers_models(library)
    root.chmod(0o777)
    assert has_strangers_models(library), "anybody can write"
    root.chmod(0o755)
    path = root / "cup" / "job.json"
    path.write_text(path.read_text().replace("tripo", "scenario"))
    assert has_strangers_models(library), "a record of a stranger"


# -- private, portable, and out of the way ---------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_the_default_library_is_private_under_any_umask(tmp_path: Path) -> None:
    default = library_folder("", {"XDG_DATA_HOME": str(tmp_path / "data")})
    before = os.umask(0o022)
    try:
        Library(default).create(running_record(), {})
        Library(tmp_path / "chosen").create(running_record(), {})
        assert default.stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "chosen").stat().st_mode & 0o777 == 0o755
        default.chmod(0o755)
        assert Library(default).lock("cup").take()
        assert default.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    assert settings_folder().stat().st_mode & 0o777 == 0o700


NAMES = ("NUL", "con", "CON.txt", "Aux.glb", "lpt1", "COM9.glb", "com¹.x", "C:x", "a:b.glb",
         "mesh.", "mesh ", " mesh", ".hidden", "a\\b", "a/b", "a*b", "a?", "a\x00b", "a\nb",
         "job.json",
         "JOB.JSON", "conin$", "a|b", "", "x" * 300)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_job_name_with_a_special_meaning_is_refused(root: Path, name: str) -> None:
    library = Library(root)
    for field in ("mesh", "blend", "preview"):
        library.create(running_record(**{field: name}), {})
        with pytest.raises(LibraryProblem, match="refers to a file in another folder"):
            library.load("cup")
        library.delete("cup")


@pytest.mark.parametrize("job", ["Evil.app", "NUL", "con", "x.lnk", "a b", "a:b", "-x", ".x", "ä"])
def test_a_mount_point_is_not_a_job(root: Path, job: str) -> None:
    with pytest.raises(LibraryProblem, match="no job"):
        Library(root).folder(job)
    (root / job).mkdir(parents=True)
    (root / job / "job.json").write_text("{}")
    found, problems = Library(root).all()
    assert (found, len(problems)) == ([], 0 if job.startswith(".") else 1)
    assert JOB_ID.fullmatch("20260101-000000-cup-0001")


@pytest.mark.parametrize(
    ("text", "holder"),
    [("", "unknown"), ("4321\nrender-7\n", "render-7, 4321"), ("\x00\xff", "unknown"),
     ("not a number\nhost\n", "unknown"), ("7\n\x1b[31mhost\n", "unknown")],
)  # fmt: skip
def test_a_stuck_lock_is_reported_with_its_file_and_the_fix(
    root: Path, monkeypatch: pytest.MonkeyPatch, text: str, holder: str
) -> None:
    from image_to_mesh.jobs.disk.lock import JobLock
    from image_to_mesh.jobs.library.uncertain import give_up

    real = JobLock._acquire

    def no_locks(own: JobLock, *, soft: bool) -> Any:
        if not soft:
            raise OSError(38, "Function not implemented")
        return real(own, soft=True)

    monkeypatch.setattr(JobLock, "_acquire", no_locks)
    library = Library(root)
    library.create(running_record(state=State.UNCERTAIN), {})
    lock = root / ".cup.process"
    lock.write_text(text)
    with pytest.raises(LibraryProblem) as caught:
        give_up(library, "cup")
    assert f"{lock} (computer, process: {holder})" in caught.value.message
    assert "delete the lock file" in caught.value.hint
    lock.unlink()
    assert give_up(library, "cup").state is State.CANCELLED


@pytest.mark.parametrize(
    "task",
    ["../teams/x?y=", "a/b", "a?b", "a#b", "%2e/x", "a\r\nX: y", ".", "..", "", "x" * 301],
)
@pytest.mark.parametrize("name", ["task", "job"])
def test_an_untrusted_ticket_leads_to_no_other_route(name: str, task: str) -> None:
    with pytest.raises(LibraryProblem, match="contains a URL"):
        check_ticket(running_record(own=False, ticket={name: task}))
