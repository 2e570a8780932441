# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a model's images is computed before any image is opened."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import broken, heads
from fakes.png import png_of
from unit.worker_package import load

image_heads = load("checks.image_headers")
Refusal = load("refusal").Refusal
check_mesh_file = load("checks.mesh_file").check_mesh_file
redirect_materials = load("checks.obj_references").redirect_materials

MAKERS: dict[str, Callable[[int, int], bytes]] = {
    "PNG": heads.png,
    "JPEG": heads.jpeg,
    "WebP": heads.webp,
    "TIFF": heads.tiff,
    "BMP": heads.bmp,
    "TGA": heads.tga,
    "HDR": heads.hdr,
    "EXR": heads.exr,
    "DDS": heads.dds,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_format_and_size_are_read_from_the_content(kind: str) -> None:
    found, size = image_heads.read_image_header(MAKERS[kind](40, 30))
    assert found == kind
    assert size[:2] == (40, 30)


def test_unusual_headers_are_read() -> None:
    size = image_heads.read_image_header
    assert size(heads.tiff(40, 30, ">"))[1] == size(heads.tiff(40, 30, big=True))[1] == (40, 30, 16)
    assert size(heads.jpeg(40, 30, 400_000))[1] == (40, 30, 4)
    assert size(heads.jpeg(40, 30).replace(b"\xff\xc2", b"\0\0\xff\xff\xc2"))[1] == (40, 30, 4)
    assert size(heads.png(40, 30, bits=16))[1] == (40, 30, 16)
    lossless = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 39 | 29 << 14)
    lossy = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 40, 30)
    assert size(lossless)[1] == size(lossy)[1] == (40, 30, 4)
    two = heads.exr(40, 30) + heads.exr(4000, 3000)[8:]
    assert size(two)[1] == (4000, 3000, 16)
    comment = heads.hdr(4000, 3000).replace(b"FORMAT", b"\n-Y 1 +X 1\nFORMAT")
    assert size(comment)[1] == (4000, 3000, 16)
    for nothing in (b"", b"no picture", bytes(40), b"\x89PNG"):
        assert size(nothing) == ("unknown", None)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_texture_with_too_many_pixels_is_refused(kind: str) -> None:
    data = MAKERS[kind](40_000, 40_000)
    with pytest.raises(Refusal, match="40,000 × 40,000 pixels"):
        image_heads.ImageBudget().add(data)


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "HDR", "EXR", "DDS"])
def test_a_texture_without_a_size_is_refused(kind: str) -> None:
    data = MAKERS[kind](40, 30)
    with pytest.raises(Refusal, match=r"texture in the mesh file is damaged"):
        image_heads.ImageBudget().add(data[:12])


def test_all_pictures_share_one_budget() -> None:
    """Four of 8192 × 8192 pixels are 1 GiB once decoded; any more is too much."""
    pictures = image_heads.ImageBudget()
    for _ in range(4):
        pictures.add(heads.png(8192, 8192))
    with pytest.raises(Refusal, match=r"more than 1\.1 GB of memory"):
        pictures.add(heads.png(1, 1))
    image_heads.ImageBudget().add(heads.png(16384, 16384))
    deep = image_heads.ImageBudget()
    deep.add(heads.png(8192, 8192, bits=16))
    with pytest.raises(Refusal, match="more than 1"):
        deep.add(heads.png(1, 1))


def glb(*pictures: bytes, uses: int = 1) -> bytes:
    """Return a GLB with these pictures, each shared by this many images."""
    text, behind = broken.head(), broken.data()
    text["images"] = []
    for picture in pictures:
        behind += b"\0" * (-len(behind) % 4)
        view = {"buffer": 0, "byteOffset": len(behind), "byteLength": len(picture)}
        text["bufferViews"].append(view)
        number = len(text["bufferViews"]) - 1
        text["images"] += [{"bufferView": number, "mimeType": "image/png"}] * uses
        behind += picture
    text["buffers"][0]["byteLength"] = len(behind)
    text["textures"] = [{"source": number} for number in range(len(text["images"]))]
    return broken.glb(text, behind)


def refusal_of(path: Path) -> str:
    """Return why a mesh file is refused, or "" if it passes."""
    try:
        format_ = check_mesh_file(str(path), readable=None, blender="9.9")
        if format_ == "obj":
            with redirect_materials(str(path), path.parent):
                pass
    except Refusal as refusal:
        return f"{refusal.message}" if refusal.kind == "bad_mesh" and refusal.hint else "?"
    return ""


def write_model(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_buffer_view_shared_by_many_images_counts_for_each(tmp_path: Path) -> None:
    bomb = heads.png(16384, 16384, bits=1, color=0)
    assert refusal_of(write_model(tmp_path, "one.glb", glb(bomb, uses=1))) == ""
    assert "more than 1.1 GB" in refusal_of(write_model(tmp_path, "two.glb", glb(bomb, uses=2)))
    said = refusal_of(write_model(tmp_path, "many.glb", glb(bomb, uses=40)))
    assert "textures in the mesh file would use more than" in said


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "TGA", "HDR", "EXR", "DDS", "unknown"])
def test_a_gltf_counts_only_the_images_it_names(kind: str, tmp_path: Path) -> None:
    data = b"no picture at all" if kind == "unknown" else MAKERS[kind](300, 300)
    said = refusal_of(write_model(tmp_path, "mesh.glb", glb(data)))
    named = "not an image" if kind == "unknown" else f"a {kind} image, which is not supported"
    assert said == f"A texture in the mesh file is {named}."
    text = broken.head()
    text["images"] = [{"uri": "data:image/png;base64," + base64.b64encode(data).decode()}]
    assert refusal_of(write_model(tmp_path, "mesh.gltf", broken.gltf(text))) == said
    text["images"] = [{"uri": "skin.png"}]
    write_model(tmp_path, "skin.png", data)
    assert refusal_of(write_model(tmp_path, "mesh.gltf", broken.gltf(text))) == said


def test_a_file_of_960_bytes_can_be_too_large_once_decoded(tmp_path: Path) -> None:
    head: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "images": [{"bufferView": 0, "mimeType": "image/png"}],
        "bufferViews": [{"buffer": 0, "byteLength": 200}],
        "buffers": [{"byteLength": 200}],
    }
    data = broken.glb(head, heads.tiff(30_000, 30_000).ljust(200, b"\0"))
    assert len(data) <= 960
    assert "a TIFF image" in refusal_of(write_model(tmp_path, "mesh.glb", data))


def obj(folder: Path, material: str) -> Path:
    write_model(folder, "mesh.mtl", material.encode())
    return write_model(folder, "mesh.obj", broken.OBJ.replace("square.mtl", "mesh.mtl").encode())


def test_an_obj_and_its_textures_share_the_budget(tmp_path: Path) -> None:
    lines = []
    for number in range(5):
        write_model(tmp_path, f"{number}.png", heads.png(8192, 8192))
        lines.append(f"newmtl m{number}\nmap_Kd {number}.png\n")
    assert refusal_of(obj(tmp_path, "".join(lines[:4]))) == ""
    assert "would use more than" in refusal_of(obj(tmp_path, "".join(lines)))
    write_model(tmp_path, "0.png", heads.tiff(30_000, 30_000))
    assert "30,000 × 30,000" in refusal_of(obj(tmp_path, lines[0]))


def test_an_fbx_and_its_textures_share_the_budget(tmp_path: Path) -> None:
    """Pictures in the file, and those that it refers to."""
    check = load("checks.fbx_textures").redirect_textures
    text = "; FBX 7.4.0 project file\n" + "".join(
        f'  FileName: "C:\\skins\\{number}.png"\n' for number in range(5)
    )
    path = write_model(tmp_path, "mesh.fbx", text.encode())
    for number in range(5):
        write_model(tmp_path, f"{number}.png", heads.png(8192, 8192))
    with pytest.raises(Refusal, match="would use more than"), check(str(path), tmp_path):
        pytest.fail("let pass")
    for number in (3, 4):
        write_model(tmp_path, f"{number}.png", png_of(4, 4))
    with check(str(path), tmp_path) as (safe, is_staged):
        assert is_staged, "the file was not staged"
        assert sorted(entry.name for entry in Path(safe).parent.iterdir())[:2] == ["0.png", "1.png"]


def fbx(*records: tuple[bytes, list[bytes]]) -> bytes:
    """Return a binary FBX whose objects are these, each with raw values below it by "Content"."""

    def record(at: int, name: bytes, values: bytes, count: int, below: list[Any]) -> bytes:
        begin = at + 13 + len(name) + len(values)
        inside = b""
        for child in below:
            inside += record(begin + len(inside), *child)
        inside += bytes(13) if below else b""
        head = struct.pack("<IIIB", begin + len(inside), count, len(values), len(name))
        return head + name + values + inside

    children = []
    for name, contents in records:
        raw: list[Any] = [
            (b"Content", b"R" + struct.pack("<I", len(content)) + content, 1, [])
            for content in contents
        ]
        children.append((name, b"", 0, raw))
    start = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400)
    return start + record(len(start), b"Objects", b"", 0, children) + bytes(13)


def test_pictures_in_an_fbx_are_counted(tmp_path: Path) -> None:
    bomb = heads.png(8192, 8192)
    assert refusal_of(write_model(tmp_path, "a.fbx", fbx((b"Video", [bomb])))) == ""
    many = fbx(*((b"Video", [bomb]) for _ in range(5)))
    assert "would use more than" in refusal_of(write_model(tmp_path, "a.fbx", many))
    single = fbx((b"Video", [heads.exr(30_000, 30_000)]))
    assert "30,000 × 30,000" in refusal_of(write_model(tmp_path, "a.fbx", single))
    assert "materials" in refusal_of(
        write_model(tmp_path, "a.fbx", fbx(*((b"Material", []) for _ in range(1001))))
    )
    assert (
        refusal_of(write_model(tmp_path, "a.fbx", fbx(*((b"Material", []) for _ in range(99)))))
        == ""
    )


def test_ktx2_beside_a_png_is_allowed(tmp_path: Path) -> None:
    """KTX2 beside a PNG is for other programs: Blender opens the PNG."""
    ktx = b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(100)
    assert refusal_of(write_model(tmp_path, "mesh.glb", glb(png_of(4, 4), ktx))) == ""
