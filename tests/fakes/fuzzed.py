# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing of everything that strangers send: pictures, meshes, answers of services, records.

Each target takes a random generator and a folder, and may raise only the product's own errors.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from unit.worker_package import load

from image_to_mesh.jobs import InputPicture, Library, Record, State
from image_to_mesh.jobs.batch.sources import read_sources
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.providers import (
    ImageToMeshError,
    Picture,
    PictureInfo,
    Progress,
    Request,
    get_provider,
    keys_for,
)
from image_to_mesh.providers._shared.adapters import to_json
from image_to_mesh.providers._shared.images import read_picture_info

from . import broken
from .ordered import Lane, numbered_picture

Target = Callable[[random.Random, Path], None]
BYTES = (0, 1, 0x7F, 0x80, 0xFF)
TEXTS = (
    "",
    "\ud83d",
    "\0",
    "=1+1",
    "\x1b[31m",
    "../x",
    "é" * 300,
    "9" * 400,
    "NaN",
    "https://[::1",
)
VALUES: tuple[Any, ...] = (
    *broken.EXTREME,
    None,
    True,
    [],
    {},
    [[]],
    {"a": 1},
    float("nan"),
    float("inf"),
    *TEXTS,
)


def damage_bytes(chance: random.Random, content: bytes) -> bytes:
    """Return a copy with some bytes changed, added or missing."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            changed[at : at + chance.choice((1, 4, 100))] = b""
        elif kind == 1:
            changed[at:at] = chance.randbytes(chance.choice((1, 4, 100)))
        elif kind == 2:
            changed[at : at + 4] = chance.choice(BYTES).to_bytes(1, "big") * 4
        elif changed:
            changed[at % len(changed)] ^= 1 << chance.randrange(8)
    return bytes(
        changed[: chance.randrange(len(changed) + 1)] if chance.random() < 0.1 else changed
    )


def change_json(chance: random.Random, value: Any) -> Any:
    """Return a copy of JSON with a few values changed or missing."""
    value = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = list(broken._places(value)) if isinstance(value, dict | list) else []
        if not places:
            return chance.choice(VALUES)
        inside, key = chance.choice(places)
        if isinstance(inside, dict) and chance.random() < 0.3:
            inside.pop(key, None)
        elif isinstance(inside, dict) and chance.random() < 0.1:
            inside[chance.choice(TEXTS)] = deepcopy(inside.get(key))
        else:
            try:
                # A copy, since a list that contains itself is not JSON.
                inside[key] = deepcopy(chance.choice(VALUES))
            except (LookupError, TypeError):
                continue
    return value


# -- pictures and meshes ---------------------------------------------------------------------------


@cache
def pictures() -> dict[str, bytes]:
    """Return a valid picture of each accepted format, by file name."""
    from PIL import Image

    made: dict[str, bytes] = {}
    kinds: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("png", "RGBA", {}), ("png", "P", {}), ("jpeg", "RGB", {}), ("jpeg", "CMYK", {}),
        ("jpeg", "L", {"progressive": True}), ("webp", "RGB", {}),
        ("webp", "RGBA", {"lossless": True}),
        ("bmp", "RGB", {}), ("tiff", "RGB", {"compression": "tiff_lzw"}), ("tiff", "I;16", {}),
    )  # fmt: skip
    for format_, mode, how in kinds:
        image = Image.frombytes("L", (24, 16), bytes(number * 7 % 256 for number in range(384)))
        image = image.convert("RGB").convert("I;16" if mode == "I;16" else mode)
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "a camera"
        if format_ != "bmp":
            how = {**how, "exif": exif}
        packed = io.BytesIO()
        image.save(packed, format_, **how)
        made[f"{mode.lower().replace(';', '')}.{format_}"] = packed.getvalue()
    return made


def picture_heads(chance: random.Random, _folder: Path) -> None:
    """Read the header of a damaged picture."""
    name = chance.choice(sorted(pictures()))
    info = read_picture_info(damage_bytes(chance, pictures()[name]), name)
    assert info.width >= 0
    assert info.height >= 0


def mesh_files(chance: random.Random, folder: Path) -> None:
    """Check a mesh file as a job does, and as the worker does before the import."""
    name = chance.choice(sorted(broken.whole()))
    content = broken.whole()[name]
    suffix = name.rpartition(".")[2]
    kinds = (*broken.HARMS, *broken.HARMS_OF.get(suffix, ()))
    content = chance.choice(kinds)(chance, content)
    path = folder / f"mesh.{suffix}"
    path.write_bytes(damage_bytes(chance, content) if chance.random() < 0.5 else content)
    read_mesh_file(path)
    refusal = load("refusal").Refusal
    try:
        with load("checks.archives").unpack_archive(str(path)) as (mesh, _):
            load("checks.mesh_file").check_mesh_file(mesh, readable=frozenset(), blender="9.9")
    except refusal:
        return


# -- texts -----------------------------------------------------------------------------------------


def records(chance: random.Random, folder: Path) -> None:
    """Read a library with a damaged record; save and reload it if it is readable."""
    info = PictureInfo("png", 64, 48)
    picture = InputPicture("front", "cup", "cup.png", sha256="a" * 64, info=info)
    record = Record("a-job", State.RUNNING, "tripo", "cup", "2026-11-21T10:00:00+00:00",
                    pictures=(picture,), ticket={"task": "t"},
                    settings={"texture": True})  # fmt: skip
    text = json.dumps(change_json(chance, to_json(record))).encode()
    path = folder / "library" / "a-job" / "job.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damage_bytes(chance, text) if chance.random() < 0.4 else text)
    library = Library(folder / "library")
    found, problems = library.all()
    assert len(found) + len(problems) == 1
    for match in found:
        library.save(match)
        assert asdict(library.load("a-job")) == asdict(match)


def tables(chance: random.Random, folder: Path) -> None:
    """Read a table of pictures."""
    text = "image,provider,face_limit,texture\ncup.png,tripo,500,true\nb.png,,,\n"
    table = folder / "table.csv"
    table.write_bytes(
        damage_bytes(chance, text.encode(chance.choice(("utf-8", "utf-16", "latin-1"))))
    )
    (folder / "cup.png").write_bytes(numbered_picture(1))
    read_sources([str(table)])


def answers(lane: Lane) -> Target:
    """Return a target: every call of a service, whose answers are JSON with other values."""
    provider = get_provider(lane.provider)
    keys = keys_for(provider, {}, lane.environment)
    address = next(value for name, value in lane.environment.items() if name.endswith("_BASE_URL"))

    def ask(chance: random.Random, folder: Path) -> None:
        def change(data: bytes) -> bytes:
            try:
                value = json.loads(data)
            except ValueError:
                return data
            return (
                json.dumps(change_json(chance, value)).encode() if chance.random() < 0.4 else data
            )

        for way in lane.ways:
            way.change = change
        path = folder / "cup.png"
        path.write_bytes(numbered_picture(chance.randrange(1000)))
        picture = Picture("front", "cup", path, info=PictureInfo("png", 32, 32))
        request: Request[Any] = Request(provider.settings(), (picture,))
        http = open_http(provider, keys, address, online=True, pause=lambda _: None)
        try:
            uploaded = provider.upload((picture,), http)
            ticket = provider.submit(request, uploaded, http)
            for _ in range(6):
                if not isinstance(provider.poll(ticket, http), Progress):
                    break
            provider.find_order(request, uploaded, datetime.now(UTC), http)
            provider.balance(http)
            provider.quote(request, http)
            provider.cancel(ticket, http)
        finally:
            http.close()

    return ask


TARGETS: dict[str, Target] = {
    "pictures": picture_heads,
    "meshes": mesh_files,
    "records": records,
    "tables": tables,
}
ALLOWED = (ImageToMeshError,)
