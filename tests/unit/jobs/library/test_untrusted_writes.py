# SPDX-License-Identifier: GPL-3.0-or-later
"""In a library of others no link redirects a copy, an image, a deletion or a write."""

from __future__ import annotations

import os
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from fakes.odd_files import a_folder, a_link, odd, soon
from fakes.png import png_of
from fakes.strangers import PRIVATE, ready_record

from image_to_mesh.jobs import Library
from image_to_mesh.jobs.diagnostics import write_diagnostics
from image_to_mesh.jobs.disk.lock import JobLock
from image_to_mesh.jobs.disk.plain_files import copy_plain, write_whole
from image_to_mesh.jobs.disk.signatures import mark_file
from image_to_mesh.jobs.disk.viewable_images import PIXELS, Thumbnails, picture_to_open
from image_to_mesh.jobs.library.file_names import RECORD
from image_to_mesh.jobs.library.import_log import log_import
from image_to_mesh.jobs.library.versions import Version, remember
from image_to_mesh.providers._shared.http.downloads import (
    DownloadRequest,
    Validators,
    _load_validators,
    _size,
    _start_part,
    _write,
)

# -- what is copied, shown and deleted -------------------------------------------------------------


@odd
def test_diagnostics_hold_no_file_that_a_record_leads_to(
    library: Library, private: Path, tmp_path: Path, odd: Any
) -> None:
    (library.root / "odd").mkdir()
    odd(library.root / "odd" / RECORD, private)
    (library.root / "link").symlink_to(private.parent)
    target = tmp_path / "report.zip"
    soon(lambda: write_diagnostics(target, versions={}, preferences={}, library=library.root,
                                   secrets=[]))  # fmt: skip
    with zipfile.ZipFile(target) as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    assert set(texts) == {"report.json", "jobs/cup.json", "jobs/odd.json"}
    assert [name for name, text in texts.items() if b"letter" in text] == []
    assert sum(map(len, texts.values())) < 100_000


@odd
def test_only_plain_files_are_delivered(tmp_path: Path, private: Path, odd: Any) -> None:
    odd(tmp_path / "mesh.glb", private)
    found = soon(lambda: copy_plain(tmp_path / "mesh.glb", tmp_path / "out.glb", 10**6))
    assert isinstance(found, OSError)
    assert not (tmp_path / "out.glb").exists()


@odd
def test_only_plain_pictures_are_opened(tmp_path: Path, private: Path, odd: Any) -> None:
    odd(tmp_path / "preview.png", private)
    shown = Thumbnails()
    assert soon(lambda: shown.file("a", tmp_path / "preview.png")) is None
    with picture_to_open(tmp_path / "preview.png") as path:
        assert path is None


def _with_size(picture: bytes, width: int, height: int) -> bytes:
    """Return a PNG whose head tells of another size."""
    whole = bytearray(picture)
    whole[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    whole[29:33] = zlib.crc32(bytes(whole[12:29])).to_bytes(4, "big")
    return bytes(whole)


def test_a_picture_of_too_many_pixels_is_not_shown(tmp_path: Path) -> None:
    side = int(PIXELS**0.5) + 1
    (tmp_path / "preview.png").write_bytes(_with_size(png_of(8, 8), side, side))
    (tmp_path / "small.png").write_bytes(png_of(8, 8))
    shown = Thumbnails()
    assert shown.file("a", tmp_path / "preview.png") is None
    assert shown.file("b", tmp_path / "small.png") == tmp_path / "small.png"


def test_a_picture_that_would_crash_blender_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "front.png").write_bytes(_with_size(png_of(8, 8), 100_000, 600))
    with picture_to_open(tmp_path / "front.png") as path:
        assert path is None
    assert Thumbnails().file("a", tmp_path / "front.png") is None


def test_a_picture_that_others_can_change_is_shown_as_a_copy(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "cup"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o777)
    (folder / "preview.png").write_bytes(png_of(8, 8))
    shown = Thumbnails()
    copy = shown.file("a", folder / "preview.png")
    assert copy is not None
    assert copy.parent != folder
    (folder / "preview.png").write_bytes(b"other")
    assert copy.read_bytes() == png_of(8, 8)
    shown.close()
    assert not copy.exists()


def test_deleting_follows_no_link(library: Library, private: Path) -> None:
    kept = private.parent / "kept"
    kept.mkdir()
    (kept / "letter.txt").write_bytes(PRIVATE)
    (library.folder("cup") / "model-parts").symlink_to(kept)
    library.delete("cup")
    assert (kept / "letter.txt").read_bytes() == PRIVATE
    (library.root / ".new-000000000000").symlink_to(kept)
    os.utime(library.root / ".new-000000000000", (1, 1), follow_symlinks=False)
    library.sweep()
    assert (kept / "letter.txt").read_bytes() == PRIVATE


# -- what is written -------------------------------------------------------------------------------


def test_nothing_is_written_through_a_link(library: Library, private: Path, tmp_path: Path) -> None:
    folder = library.folder("cup")
    (folder / "model.blend").write_bytes(b"model")
    places = ("job.json", "imported.json", "versions.json", "mesh.glb", ".model.blend.mark")
    sides = (".job.json.new", ".imported.json.new", ".versions.json.part", ".mesh.glb.new")
    for name in (*places, *sides):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(private)
    (folder / ".cancel").symlink_to(tmp_path / "elsewhere")
    library.save(ready_record("cup"))
    library.keep("cup", "mesh.glb", b"mesh")
    log_import(folder)
    remember(folder, Version("model.blend"))
    mark_file(folder / "model.blend")
    library.ask_to_cancel("cup")
    assert private.read_bytes() == PRIVATE
    assert not (tmp_path / "elsewhere").exists()
    assert library.load("cup").own
    assert (folder / "mesh.glb").read_bytes() == b"mesh"


def test_a_new_file_gets_an_unguessable_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    real = os.open

    def open_noted(path: Any, flags: int, *args: Any, **how: Any) -> int:
        if flags & os.O_CREAT:
            assert flags & os.O_EXCL
            assert sys.platform == "win32" or flags & os.O_NOFOLLOW
            names.append(os.fspath(path))
        return real(path, flags, *args, **how)

    monkeypatch.setattr(os, "open", open_noted)
    for _ in range(20):
        write_whole(tmp_path / "file", b"data")
    assert len(set(names)) == 20
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_lock_that_is_a_link_is_not_opened(library: Library, private: Path) -> None:
    (library.root / ".cup.lock").symlink_to(private)
    with pytest.raises(OSError, match="is a symbolic link"):
        JobLock(library.root, "cup").take()
    assert private.read_bytes() == PRIVATE
    assert not library.is_held("cup")


@odd
def test_a_download_goes_into_a_plain_file(tmp_path: Path, private: Path, odd: Any) -> None:
    target = tmp_path / "mesh.part"
    want = DownloadRequest("https://example.com/a.glb", target)
    for path in (want.part, tmp_path / ".mesh.part.from"):
        if odd is not a_folder:
            odd(path, private)
    assert soon(lambda: _load_validators(target)) == Validators()
    if odd is a_link:
        assert _size(want.part) == 0
    soon(lambda: _start_part(target, Validators(etag='"a"')))
    assert not want.part.exists()
    assert _load_validators(target) == Validators(etag='"a"')
    assert private.read_bytes() == PRIVATE


def test_a_download_is_not_resumed_into_a_hard_linked_file(tmp_path: Path, private: Path) -> None:
    want = DownloadRequest("https://example.com/a.glb", tmp_path / "mesh.part")
    os.link(private, want.part)

    class Answer:
        pieces = (b"data",)

    with pytest.raises(OSError, match="not a plain file"):
        _write(want, Answer(), 5, 9)  # type: ignore[arg-type]
    assert private.read_bytes() == PRIVATE
