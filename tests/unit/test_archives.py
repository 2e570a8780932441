# SPDX-License-Identifier: GPL-3.0-or-later
"""A ZIP of a mesh is unpacked into the mesh's own folder, if nothing in it speaks against that."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from fakes.broken import MTL, OBJ, archive, obj_archive, whole
from fakes.png import png_of
from unit.background_package import load

from image_to_mesh.jobs.meshfile import read_mesh_file

archives = load("archives")
Refusal = load("refusal").Refusal


def written(folder: Path, data: bytes) -> str:
    """Write an archive; return its path."""
    (folder / "mesh.zip").write_bytes(data)
    return str(folder / "mesh.zip")


def refused(folder: Path, data: bytes) -> str:
    """Return why an archive is not unpacked, and see that nothing of it is left."""
    path = written(folder, data)
    with pytest.raises(Refusal) as caught, archives.unpacked(path):
        pytest.fail("unpacked")
    assert [each.name for each in folder.iterdir()] == ["mesh.zip"]
    return str(caught.value.message)


def test_mesh_and_textures_are_there_for_a_while(tmp_path: Path) -> None:
    path = written(tmp_path, obj_archive())
    with archives.unpacked(path) as (mesh, home):
        assert Path(mesh).read_text() == OBJ
        assert Path(home).parent == tmp_path
        names = sorted(each.name for each in Path(mesh).parent.iterdir())
        assert names == ["skin.png", "square.mtl", "square.obj"]
    assert [each.name for each in tmp_path.iterdir()] == ["mesh.zip"]
    assert Path(path).read_bytes() == obj_archive()


def test_what_is_no_archive_is_given_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(whole()["binary.glb"])
    with archives.unpacked(str(path)) as given:
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
def test_the_mesh_is_told_by_content(
    files: dict[str, bytes], suffix: str, told: str | None, tmp_path: Path
) -> None:
    path = written(tmp_path, archive(files))
    with archives.unpacked(path) as (mesh, _):
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
        assert "a link or a device" in refused(tmp_path, made.getvalue())


@pytest.mark.parametrize(
    "name",
    ["../a.obj", "/a.obj", "a/../../b.obj", "..\\a.obj", "C:a.obj", "a:b", "a/ .. /b", "…\n"],
)
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    assert "outside of its folder" in refused(tmp_path, archive({"a.obj": b"v 0 0 0", name: b"x"}))


def test_what_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = archive({"a.obj": OBJ.encode(), "skin.png": bytes(40_000_000)}, 9)
    assert "far more than any mesh" in refused(tmp_path, bomb)
    assert "2,500 files" in refused(tmp_path, archive({f"{n}": b"" for n in range(2500)}, 0))
    monkeypatch.setattr(archives, "MAX_BYTES", 100)
    assert "more than 0 GB" in refused(tmp_path, obj_archive())


def test_what_holds_no_mesh_is_refused(tmp_path: Path) -> None:
    files = {"square.mtl": MTL.encode(), "skin.png": png_of(2, 2), "inner.zip": obj_archive()}
    assert "no mesh" in refused(tmp_path, archive(files))
