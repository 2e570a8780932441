# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files of every format, valid and broken on purpose by a seeded generator.

The same seed gives the same files, so that one that broke something can be inspected again.
"""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fakes.png import png_of

CUBE_FBX = Path(__file__).resolve().parent.parent / "data" / "meshes" / "cube.fbx"
EXTREME = (-1, 0, 1, 3, 255, 65536, 2**31 - 1, 2**31, 4 * 10**9, 2**48, 10**18, 10**30, 1e38, 0.5)
OBJ = (
    "mtllib square.mtl\no square\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
    "vt 1 1\nvn 0 0 1\nusemtl skin\nf 1/1/1 2/2/1 3/3/1\nf 2/2/1 4/4/1 3/3/1\n"
)
MTL = "newmtl skin\nKd 1 1 1\nmap_Kd skin.png\n"
FACET = (
    "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
)
PLY = (
    "ply\nformat {} 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
)


@dataclass(frozen=True)
class Broken:
    """A broken file, named after the damage."""

    name: str
    suffix: str
    data: bytes


def head() -> dict[str, Any]:
    """Return a glTF head with most kinds of content: a square with UVs, a texture, a child."""
    texture = len(png_of(8, 8))
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"children": [1, 2]}, {"mesh": 0, "scale": [1, 1, 1]}, {"name": "stray"}],
        "meshes": [
            {
                "primitives": [
                    {
                        "attributes": {"POSITION": 0, "TEXCOORD_0": 2},
                        "indices": 1,
                        "material": 0,
                        "targets": [{"POSITION": 3}],
                    }
                ]
            }
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 3, "mimeType": "image/png"}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC2"},
            {
                "componentType": 5126,
                "count": 4,
                "type": "VEC3",
                "sparse": {
                    "count": 2,
                    "indices": {"bufferView": 1, "componentType": 5123},
                    "values": {"bufferView": 0},
                },
            },
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 48, "byteStride": 12},
            {"buffer": 0, "byteOffset": 48, "byteLength": 12},
            {"buffer": 0, "byteOffset": 60, "byteLength": 32},
            {"buffer": 0, "byteOffset": 92, "byteLength": texture},
        ],
        "buffers": [{"byteLength": 92 + texture}],
    }


@cache
def data() -> bytes:
    """Return the binary chunk for `head`: points, faces, UVs and an image."""
    points = struct.pack("<12f", 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0)
    corners = struct.pack("<8f", 0, 0, 1, 0, 0, 1, 1, 1)
    return points + struct.pack("<6H", 0, 1, 2, 1, 3, 2) + corners + png_of(8, 8)


def glb(text: object, behind: bytes | None = None) -> bytes:
    """Return a GLB whose lengths are right, with any JSON, or bytes, as its head."""
    behind = data() if behind is None else behind
    behind += b"\0" * (-len(behind) % 4)
    packed = text if isinstance(text, bytes) else json.dumps(text).encode()
    packed += b" " * (-len(packed) % 4)
    chunks = struct.pack("<I4s", len(packed), b"JSON") + packed
    chunks += struct.pack("<I4s", len(behind), b"BIN\0") + behind
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def gltf(text: dict[str, Any]) -> bytes:
    """Return a .gltf of this head, with its buffer as a data URI."""
    text["buffers"][0]["uri"] = "data:a/b;base64," + base64.b64encode(data()).decode()
    return json.dumps(text).encode()


def archive(files: dict[str, bytes], level: int = 6) -> bytes:
    """Return a ZIP of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return made.getvalue()


def obj_archive(**more: bytes) -> bytes:
    """Return a ZIP of an OBJ with its material and texture."""
    files = {"a/square.obj": OBJ.encode(), "a/square.mtl": MTL.encode(), "a/skin.png": png_of(8, 8)}
    return archive({**files, **more})


@cache
def whole() -> dict[str, bytes]:
    """Return a whole file of every kind, by a name whose end is its suffix."""
    stl = struct.pack("<80sI", b"solid", 2)
    for corners in ((0, 0, 0, 1, 0, 0, 0, 1, 0), (1, 0, 0, 1, 1, 0, 0, 1, 0)):
        stl += struct.pack("<12fH", 0, 0, 1, *corners, 0)
    ply = PLY.format("binary_little_endian").encode() + data()[:48]
    ply += struct.pack("<BiiiBiii", 3, 0, 1, 2, 3, 1, 3, 2)
    rows = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n3 0 1 2\n3 1 3 2\n"
    return {
        "binary.glb": glb(head()),
        "text.gltf": gltf(head()),
        "binary.fbx": CUBE_FBX.read_bytes(),
        "text.obj": OBJ.encode(),
        "binary.stl": stl,
        "text.stl": f"solid a\n{FACET}{FACET}endsolid a\n".encode(),
        "binary.ply": ply,
        "text.ply": (PLY.format("ascii") + rows).encode(),
        "archive.zip": obj_archive(),
    }


def broken(seed: int, count: int, canary: Path) -> Iterator[Broken]:
    """Yield `count` broken files; some name `canary`, a file that no mesh may touch."""
    rng = random.Random(seed)
    kinds = sorted(whole())
    special = list(_special(canary))
    for number in range(count):
        if number < len(special):
            yield special[number]
            continue
        kind = kinds[number % len(kinds)]
        suffix = kind.rpartition(".")[2]
        harms = (*HARMS, *HARMS_OF.get(suffix, ()))
        harm = rng.choice(harms)
        name = f"{number} {kind} {harm.__name__.strip('_')}"
        yield Broken(name, suffix, harm(rng, whole()[kind]))


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content))]


def _flip_bits(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 20))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _write_wrong_length(rng: random.Random, content: bytes) -> bytes:
    """Write a number that is too large, or zero, where a length or count may be."""
    changed = bytearray(content)
    at = 4 * rng.randrange(max(1, (len(changed) - 4) // 4))
    value = rng.choice((0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 4_000_000, 65536, len(content)))
    changed[at : at + 4] = struct.pack("<I", value)
    return bytes(changed)


def _repeat_piece(rng: random.Random, content: bytes) -> bytes:
    """Repeat a piece of the file."""
    start, end = sorted(rng.randrange(len(content)) for _ in range(2))
    return content[:end] + content[start:end] + content[end:]


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in list(items):
        yield container, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _change_head(rng: random.Random) -> dict[str, Any]:
    text = head()
    for _ in range(rng.choice((1, 1, 2))):
        inside, key = rng.choice(list(_places(text)))
        if rng.random() < 0.15 and isinstance(inside, dict):
            del inside[key]
        else:
            inside[key] = rng.choice((*EXTREME, None, "x", [], {}, True, [0], "9" * 400))
    return text


def _change_glb(rng: random.Random, _content: bytes) -> bytes:
    return glb(_change_head(rng))


def _change_gltf(rng: random.Random, _content: bytes) -> bytes:
    text = _change_head(rng)
    try:
        return gltf(text)
    except (LookupError, TypeError):
        return json.dumps(text).encode()


def _change_numbers(rng: random.Random, content: bytes) -> bytes:
    """Change some numbers of a text."""
    words = content.decode("latin-1").split(" ")
    for _ in range(3):
        extreme = ("-1", "0", "99", "nan", "inf", "1e39", "4000000000", "99999999999999999999")
        words[rng.randrange(len(words))] = rng.choice(extreme)
    return " ".join(words).encode("latin-1")


Harm = Callable[[random.Random, bytes], bytes]
HARMS: tuple[Harm, ...] = (_cut, _flip_bits, _write_wrong_length, _repeat_piece)
HARMS_OF: dict[str, tuple[Harm, ...]] = {
    "glb": (_change_glb,) * 6,
    "gltf": (_change_gltf,) * 6,
    "obj": (_change_numbers,) * 3,
    "ply": (_change_numbers,) * 3,
    "stl": (_change_numbers,),
    "fbx": (_write_wrong_length, _flip_bits),
}


def _special(canary: Path) -> Iterator[Broken]:
    """Yield files that a random change would hardly produce."""
    outside = [str(canary), f"../{canary.name}", canary.as_uri(), f"a/../../{canary.name}"]
    for address in outside:
        yield Broken(f"address {address}", "glb", glb(head() | {"images": [{"uri": address}]}))
        yield Broken(f"buffer {address}", "gltf", json.dumps(
            head() | {"buffers": [{"uri": address, "byteLength": 1}]}).encode())  # fmt: skip
        material = MTL.replace("skin.png", address).encode()
        yield Broken(f"texture {address}", "zip", obj_archive(**{"a/square.mtl": material}))
        library = OBJ.replace("square.mtl", address).encode()
        yield Broken(f"material file {address}", "obj", library)
    deep = b"[" * 100_000 + b"]" * 100_000
    for text in (deep, b'{"asset":' + deep + b"}", b"{" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900):
        yield Broken("deep JSON", "glb", glb(text))
    yield Broken("deep extras", "glb", glb(head() | {"extras": json.loads("[" * 900 + "]" * 900)}))
    for nodes in ([{"children": [0]}], [{"children": [1]}, {"children": [0], "mesh": 0}],
                  [{"children": [n + 1]} for n in range(3000)] + [{"mesh": 0}]):  # fmt: skip
        yield Broken("nodes", "glb", glb(head() | {"nodes": nodes}))
    yield Broken("copies", "glb", glb(head() | {"nodes": [{"mesh": 0}] * 150_000}))
    yield from _special_data()
    yield from _special_archives(canary)


def _special_data() -> Iterator[Broken]:
    for index, point in ((48, 4), (50, 65535), (58, 200)):
        changed = data()[:index] + struct.pack("<H", point) + data()[index + 2 :]
        yield Broken("face beyond the points", "glb", glb(head(), changed))
    for value in (float("nan"), float("inf"), 3e38):
        yield Broken(f"point at {value}", "glb", glb(head(), struct.pack("<f", value) + data()[4:]))
        coordinates = f"v {value} 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
        yield Broken(f"point at {value}", "obj", coordinates.encode())
        stl = whole()["binary.stl"]
        yield Broken(f"point at {value}", "stl", stl[:96] + struct.pack("<f", value) + stl[100:])
    for number, face in (("4000000000", "3 0 1 4000000000"), ("-7", "3 0 1 -7"), ("9", "3 0 1 9")):
        text = whole()["text.ply"].decode().replace("3 0 1 2", face)
        yield Broken(f"PLY face {number}", "ply", text.encode())
        yield Broken(f"OBJ face {number}", "obj", (OBJ + f"f 1 2 {number}\n").encode())
    binary = whole()["binary.ply"]
    for corner in (4, 2**31 - 1, -1):
        yield Broken("PLY face", "ply", binary[:-4] + struct.pack("<i", corner))
    for count in (b"4000000000", b"99999999999999999999", b"-4", b"1000000"):
        yield Broken("PLY counts", "ply", binary.replace(b"vertex 4", b"vertex " + count))
        yield Broken("PLY counts", "ply", whole()["text.ply"].replace(b"face 2", b"face " + count))
    yield Broken("a face of many", "obj", (OBJ + "f" + " 1" * 200_000 + "\n").encode())
    yield Broken("a long line", "obj", OBJ.encode() + b"#" + b"x" * 3_000_000)
    yield Broken("no end of a line", "obj", OBJ.encode() + b"f 1 2 3 \\\n" * 50_000)


def _special_archives(canary: Path) -> Iterator[Broken]:
    for name in (f"../{canary.name}", str(canary), "a/../../evil.obj", "..\\evil.obj",
                 "C:\\evil.obj", "a/./../../evil.obj", "nul\0.obj", "evil.obj:stream"):  # fmt: skip
        yield Broken(f"path {name!r}", "zip", archive({"square.obj": OBJ.encode(), name: b"evil"}))
    link = zipfile.ZipInfo("skin.png")
    link.external_attr = 0o120777 << 16
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("square.obj", OBJ)
        packed.writestr("square.mtl", MTL)
        packed.writestr(link, str(canary))
    yield Broken("link", "zip", made.getvalue())
    bomb = archive({"square.obj": OBJ.encode(), "skin.png": bytes(40_000_000)}, 9)
    yield Broken("bomb", "zip", bomb)
    lied = bomb.replace(struct.pack("<I", 40_000_000), struct.pack("<I", 4000))
    yield Broken("bomb that lies", "zip", lied)
    yield Broken("archive in an archive", "zip", archive({"inner.zip": bomb}))
    yield Broken("nothing", "zip", archive({}))
    yield Broken("many", "zip", archive({f"{n}.obj": b"v" for n in range(2500)}, 0))
