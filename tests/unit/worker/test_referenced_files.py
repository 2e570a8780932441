# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a mesh refers to are found under any spelling of their names; no others are opened."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fakes import broken
from fakes.png import png_of
from unit.worker_package import load

addresses = load("checks.obj_references")
redirect_materials = addresses.redirect_materials
redirect_textures = load("checks.fbx_textures").redirect_textures
stage_own_files = load("checks.gltf.uris").stage_own_files
Refusal = load("refusal").Refusal

SKIN = png_of(3, 5)
SECRET = png_of(9, 9)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A mesh's folder, next to an image that does not belong to it."""
    (tmp_path / "secret.png").write_bytes(SECRET)
    folder = tmp_path / "job"
    (folder / "Textures").mkdir(parents=True)
    (folder / "Textures" / "Skin.PNG").write_bytes(SKIN)
    return folder


def obj(folder: Path, material: str | bytes, library: str = "mesh.mtl") -> Path:
    """Write an OBJ with its material file."""
    data = material if isinstance(material, bytes) else material.encode()
    (folder / "mesh.mtl").write_bytes(data)
    text = f"mtllib {library}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl a\nf 1/1 2/1 3/1\n"
    (folder / "mesh.obj").write_text(text if library else text.partition("\n")[2])
    return folder / "mesh.obj"


def textures(path: Path) -> list[tuple[bytes, bytes | None]]:
    """Return each texture's line as the importer reads it, and the bytes of the file it names."""
    found = []
    before = sorted(path.parent.rglob("*"))
    with redirect_materials(str(path), path.parent) as shown:
        given = Path(shown.path)
        for library in sorted(given.parent.glob("*.mtl")):
            for line in library.read_bytes().splitlines():
                if line.lower().startswith((b"map_", b"bump", b"disp", b"refl", b"norm")):
                    own = library.parent / os.fsdecode(line.split(b" ")[-1])
                    found.append((line, own.read_bytes() if own.is_file() else None))
        assert sorted(path.parent.rglob("*")) == before
    assert not shown.is_staged or not given.parent.exists()
    return found


@pytest.mark.parametrize(
    "name",
    ["textures/skin.png", "Textures\\Skin.PNG", "C:\\Users\\me\\skin.png", "/home/me/SKIN.png",
     "\\\\server\\share\\skin.png", '"skin.png"', "https://a.b/skin.png", "file:///x/skin.png",
     "../job/textures/skin.png", "skin.png   "],
)  # fmt: skip
def test_an_obj_finds_its_textures(name: str, job: Path) -> None:
    ((line, data),) = textures(obj(job, f"newmtl a\nmap_Kd {name}\n"))
    assert data == SKIN
    assert line == b"map_Kd 0.png"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("-bm 1", "-bm 1"),
        ("-s 2 2 1 -o 0.5 0 0", "-s 2 2 1 -o 0.5 0 0"),
        ("-clamp on -imfchan r", "-clamp on -imfchan r"),
        ("-bm ../../secret.png", ""),
        ("-type /etc/passwd", ""),
        ("-unknown 1", ""),
    ],
)
def test_options_before_a_name_stay_if_they_are_options(options: str, kept: str, job: Path) -> None:
    ((line, data),) = textures(obj(job, f"newmtl a\nmap_Bump {options} textures/skin.png\n"))
    assert data == SKIN
    assert line.decode().split() == ["map_Bump", *kept.split(), "0.png"]


@pytest.mark.parametrize(
    "name", ["../secret.png", "{}/secret.png", "-bm 1 ../secret.png", "..\\secret.png",
             "a\t../secret.png", "//server/share/other.png"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "", "\r\n", "\n# no end"])
def test_names_outside_of_the_folder_are_ignored(name: str, end: str, job: Path) -> None:
    text = f"newmtl a\nmap_Kd {name.format(job.parent)}{end}"
    ((line, data),) = textures(obj(job, text))
    assert (line, data) == (b"map_Kd " + addresses.NOWHERE, None)


def test_an_implicitly_read_material_file_is_checked(job: Path) -> None:
    """Blender also reads the material file with the mesh's own name."""
    path = obj(job, "newmtl a\nmap_Kd ../secret.png\n", library="")
    assert textures(path) == [(b"map_Kd " + addresses.NOWHERE, None)]


def test_material_files_are_found_as_textures_are(job: Path) -> None:
    for library in ("MESH.mtl", ".\\mesh.mtl", "C:\\Users\\me\\Mesh.MTL", '"mesh.mtl"'):
        path = obj(job, "newmtl a\nmap_Kd skin.png\n", library=library)
        path.with_name("mesh.mtl").rename(path.with_name("other.mtl"))
        path.with_name("other.mtl").rename(path.with_name("mesh.mtl"))
        assert [data for _, data in textures(path)] == [SKIN]


def test_valid_references_are_imported_unchanged(job: Path) -> None:
    for material in ("newmtl a\nmap_Kd Textures/Skin.PNG\n", "newmtl a\nmap_Kd not there.png\n"):
        path = obj(job, material)
        with redirect_materials(str(path), job) as shown:
            assert (shown.path, shown.lost, shown.is_staged) == (str(path), 0, False)


def test_a_long_material_file_is_refused(job: Path) -> None:
    """Files behind the limit would reach the importer unchecked."""
    material = b"newmtl a\n" + b"# " + b"x" * addresses.MAX_LIBRARY + b"\nmap_Kd ../secret.png\n"
    with pytest.raises(Refusal, match="larger than 16 MB"):
        textures(obj(job, material))


@pytest.mark.parametrize("kind", ["newmtl", "usemtl", "mtllib"])
def test_too_many_materials_are_refused(kind: str, job: Path) -> None:
    path = obj(job, "newmtl a\n" * (1001 if kind == "newmtl" else 1))
    if kind == "usemtl":
        path.write_text("".join(f"usemtl m{number}\n" for number in range(1001)))
    if kind == "mtllib":
        path.write_text("".join(f"mtllib m{number}.mtl\n" for number in range(101)))
    with pytest.raises(Refusal, match=r"materials|material files"):
        textures(path)


def test_a_utf_16_material_file_references_nothing(job: Path) -> None:
    """Blender reads bytes: it recognizes no keyword in them and opens no file."""
    assert textures(obj(job, "newmtl a\nmap_Kd ../secret.png\n".encode("utf-16"))) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [("C:\\Users\\me\\skin.png", SKIN), ("textures/SKIN.png", SKIN), ("Textures\\Skin.PNG", None),
     ("../secret.png", None), ("/home/someone/long/other.png", None)],
)  # fmt: skip
def test_an_fbx_finds_its_textures(name: str, data: bytes | None, job: Path) -> None:
    path = job / "mesh.fbx"
    path.write_text(f'; FBX 7.4.0 project file\n  FileName: "{name}"\n')
    before = sorted(job.rglob("*"))
    with redirect_textures(str(path), job) as (safe, is_staged):
        changed = Path(safe).read_text()
        assert len(changed) == len(path.read_text())
        if is_staged:
            named = Path(safe).parent / changed.split('"')[1]
            assert (named.read_bytes() if named.is_file() else None) == data
        else:
            assert name == "Textures\\Skin.PNG"
        assert sorted(job.rglob("*")) == before


def test_placeholder_names_are_distinct(job: Path) -> None:
    """An importer distinguishes two pictures inside the file by their names."""
    path = job / "mesh.fbx"
    lines = "".join(f'  FileName: "C:\\\\tex\\\\{name}.png"\n' for name in "ab")
    path.write_text("; FBX 7.4.0 project file\n" + lines)
    with redirect_textures(str(path), job) as (safe, _):
        names = Path(safe).read_text().split('"')[1::2]
    assert len(set(names)) == 2


@pytest.mark.parametrize("name", ["textures/skin.png", "Textures%5CSkin.PNG", "Textures\\skin.png"])
def test_a_gltf_finds_its_files(name: str, job: Path) -> None:
    text = broken.head()
    text["images"] = [{"uri": name}]
    text["buffers"][0]["uri"] = "MESH.BIN"
    (job / "mesh.bin").write_bytes(broken.data())
    path = job / "mesh.gltf"
    path.write_text(json.dumps(text))
    load("checks.gltf.check").check_gltf(str(path), readable=None, blender="9.9")
    before = sorted(job.rglob("*"))
    with stage_own_files(str(path), job) as (safe, is_staged):
        assert is_staged, "the file was not staged"
        given = json.loads(Path(safe).read_text())
        names = [given[kind][0]["uri"] for kind in ("images", "buffers")]
        assert [(Path(safe).parent / item).read_bytes() for item in names] == [SKIN, broken.data()]
        assert sorted(job.rglob("*")) == before
    assert not Path(safe).exists()


def test_a_gltf_in_an_archive_may_name_what_is_beside_its_folder(job: Path) -> None:
    text = broken.head()
    text["images"] = [{"uri": "../Textures/Skin.PNG"}]
    (job / "source").mkdir()
    path = job / "source" / "mesh.gltf"
    path.write_bytes(broken.gltf(text))
    check = load("checks.gltf.check").check_gltf
    check(str(path), readable=None, blender="9.9", home=job)
    with pytest.raises(Refusal, match="not part of it"):
        check(str(path), readable=None, blender="9.9")


def test_links_are_not_followed_out(job: Path) -> None:
    (job / "linked.png").symlink_to(job.parent / "secret.png")
    path = obj(job, "newmtl a\nmap_Kd LINKED.png\nmap_Ks linked.png\n")
    assert [data for _, data in textures(path)] == [None, None]
