# SPDX-License-Identifier: GPL-3.0-or-later
"""A ZIP of a mesh is unpacked into the mesh's own folder, unless an entry is unsafe."""

from __future__ import annotations

import errno
import io
import shutil
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.broken import MTL, OBJ, archive, obj_archive, whole
from fakes.png import png_of
from unit.worker_package import load

from image_to_mesh.jobs.steps.mesh_header import read_mesh_file

archives = load("checks.archives")
Refusal = load("refusal").Refusal


def write_archive(folder: Path, data: bytes) -> str:
    """Write an archive; return its path."""
    (folder / "mesh.zip").write_bytes(data)
    return str(folder / "mesh.zip")


def refusal_of(folder: Path, data: bytes) -> str:
    """Return why an archive is not unpacked, and assert that no file of it is left."""
    path = write_archive(folder, data)
    with pytest.raises(Refusal) as caught, archives.unpack_archive(path):
        pytest.fail("unpacked")
    assert [entry.name for entry in folder.iterdir()] == ["mesh.zip"]
    return str(caught.value.message)


def test_mesh_and_textures_are_unpacked_for_the_block(tmp_path: Path) -> None:
    content = obj_archive()  # once: an archive holds the time
    path = write_archive(tmp_path, content)
    with archives.unpack_archive(path) as (mesh, home):
        assert [entry.name for entry in tmp_path.iterdir()] == ["mesh.zip"]
        assert Path(mesh).read_text() == OBJ
        assert Path(home).parent == Path(tempfile.gettempdir())
        names = sorted(entry.name for entry in Path(mesh).parent.iterdir())
        assert names == ["skin.png", "square.mtl", "square.obj"]
    assert not Path(home).exists()
    assert Path(path).read_bytes() == content


def test_a_file_that_is_not_an_archive_is_returned_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(whole()["binary.glb"])
    with archives.unpack_archive(str(path)) as given:
        assert given == (str(path), str(tmp_path))


@pytest.mark.parametrize(
    ("files", "suffix", "told"),
    [
        ({"a.obj": OBJ.encode(), "b.glb": whole()["binary.glb"]}, ".glb", "glb"),
        ({"a.stl": whole()["binary.stl"], "b.obj": OBJ.encode()}, ".obj", "obj"),
        ({"a.stl": whole()["text.stl"]}, ".stl", None),
        ({"readme.txt": b"hello", "a": whole()["binary.fbx"]}, "", "fbx"),
        ({"small.obj": OBJ.encode(), "large.obj": OBJ.encode() * 9}, "large.obj", "obj"),
        ({"__MACOSX/._a.obj": OBJ.encode() * 9, "a.obj": OBJ.encode()}, "a.obj", "obj"),
    ],
)
def test_the_mesh_in_an_archive_is_found_by_content(
    files: dict[str, bytes], suffix: str, told: str | None, tmp_path: Path
) -> None:
    path = write_archive(tmp_path, archive(files))
    with archives.unpack_archive(path) as (mesh, _):
        assert mesh.endswith(suffix)
    found = read_mesh_file(Path(path))
    assert (found.suffix, found.format) == ("zip", told)


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (0o120777, 0o060600, 0o010600):
        entry = zipfile.ZipInfo("skin.png")
        entry.external_attr = kind << 16
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as packed:
            packed.writestr("square.obj", OBJ)
            packed.writestr(entry, "/etc/hostname")
        assert "a link or a device" in refusal_of(tmp_path, made.getvalue())


@pytest.mark.parametrize(
    "name",
    [
        "../a.obj",
        "a/../../b.obj",
        "..\\a.obj",
        "a\\..\\..\\b",
        "C:..\\a.obj",
        "/../a",
        "a/ .. /../b",
    ],
)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    assert "leads out of its folder" in refusal_of(
        tmp_path, archive({"a.obj": b"v 0 0 0", name: b"x"})
    )


NAMES = {
    "textures\\skin.png": "textures/skin.png",
    "/tmp/skin.png": "tmp/skin.png",
    "C:\\Users\\me\\skin.png": "Users/me/skin.png",
    "C:skin.png": "skin.png",
    "\\\\server\\share\\skin.png": "server/share/skin.png",
    "a/../skin.png": "skin.png",
    "./a//skin.png": "a/skin.png",
    "one:two.png": "one_two.png",
    "what?.png": "what_.png",
    "skin.png. ": "skin.png",
    "line\nend\x1b[2J.png": "line_end_[2J.png",
    "nul.png": "_nul.png",
    "COM1": "_COM1",
    "aux .tar.gz": "_aux .tar.gz",
    "...": "_",
    "x" * 300 + ".png": "x" * 104 + ".png",
    "/".join("abcdefghijklmnop"): "e/f/g/h/i/j/k/l/m/n/o/p",
}


@pytest.mark.parametrize("name", NAMES)
def test_other_names_become_harmless(name: str, tmp_path: Path) -> None:
    path = write_archive(tmp_path, archive({"z.obj": OBJ.encode(), name: b"skin"}))
    before = sorted(tmp_path.iterdir())
    with archives.unpack_archive(path) as (_, home):
        files = [entry for entry in Path(home).rglob("*") if entry.is_file()]
        (found,) = [file for file in files if file.name != "z.obj"]
        assert found.relative_to(home).as_posix() == NAMES[name]
        assert found.read_bytes() == b"skin"
    assert sorted(tmp_path.iterdir()) == before


def test_conflicting_names_in_an_archive_are_refused(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in (("a", "1"), ("a/b", "2"), ("c/d", "3"), ("c", "4"), ("c//d", "5")):
            packed.writestr(name, text)
        packed.writestr("z.obj", OBJ)
    with archives.unpack_archive(write_archive(tmp_path, made.getvalue())) as (_, home):
        assert (Path(home) / "a").read_text() == "1"
        assert (Path(home) / "c" / "d").read_text() == "3"


def test_unflagged_utf_8_names_are_decoded(tmp_path: Path) -> None:
    data = archive({"säge.png": b"skin", "z.obj": OBJ.encode()})
    plain = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flags = data.index(mark) + at + 1
        assert plain[flags] == 8
        plain[flags] = 0
    with archives.unpack_archive(write_archive(tmp_path, bytes(plain))) as (_, home):
        assert (Path(home) / "säge.png").read_bytes() == b"skin"


def test_an_encrypted_or_damaged_archive_is_reported(tmp_path: Path) -> None:
    data = bytearray(archive({"z.obj": OBJ.encode() * 50}, 0))
    spoiled = bytearray(data)
    spoiled[60] ^= 1
    assert "damaged" in refusal_of(tmp_path, bytes(spoiled))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in refusal_of(tmp_path, bytes(data))
    nested = archive({f"lib {n}.zip": archive({"inner.zip": obj_archive()}) for n in range(16)})
    assert "no mesh" in refusal_of(tmp_path, nested)


def test_a_full_disk_is_not_reported_as_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paid mesh is not damaged: the archive is kept, and unpacked when there is room."""
    path = write_archive(tmp_path, obj_archive())
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    usage = SimpleNamespace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    for _ in ("asked before", "met while it is written"):
        with pytest.raises(Refusal) as caught, archives.unpack_archive(path):
            pytest.fail("unpacked")
        assert caught.value.kind == "failed"
        assert tempfile.gettempdir() in caught.value.message
        assert not list((tmp_path / "temp").iterdir())
        usage.free = 1 << 40

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(archives, "_write", full)


def test_an_archive_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = archive({"a.obj": OBJ.encode(), "skin.png": bytes(40_000_000)}, 9)
    assert "extreme compression ratio" in refusal_of(tmp_path, bomb)
    assert "2,500 files" in refusal_of(tmp_path, archive({f"{n}": b"" for n in range(2500)}, 0))
    monkeypatch.setattr(archives, "MAX_BYTES", 100)
    assert "more than 0 GB" in refusal_of(tmp_path, obj_archive())


def test_an_archive_without_a_mesh_is_refused(tmp_path: Path) -> None:
    files = {"square.mtl": MTL.encode(), "skin.png": png_of(2, 2), "inner.zip": obj_archive()}
    assert "no mesh" in refusal_of(tmp_path, archive(files))
