# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a glTF or GLB file against itself before any importer sees it.

An importer believes what a head says: counts become allocations, indices become places in memory.
So every count, offset, stride, length and index is held against the file's own size, and limits
that no honest mesh reaches stop what would only burn time. Nothing here imports bpy.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ...refusal import OTHER_FORMAT, Message, Refusal
from ..companion_files import leads_into
from ..image_headers import GLTF_KINDS, Pictures
from .accessors import Views
from .buffers import GltfFile, damaged, decoded, is_data, read_gltf, shortened
from .nodes import check_scene, too_much

MAX_TRIANGLES = 100_000_000
MAX_PRIMITIVES = 20_000
MAX_MATERIALS = 1_000
"""How many materials may be drawn with: Blender's importer takes a second for 500 of them."""
MAX_VALUES = 200_000_000
"""How many values all attributes and morph targets may have for the points that are drawn."""
UNREAD = {
    "KHR_texture_basisu": "KTX2 textures",
    "EXT_meshopt_compression": "Meshopt compression",
    "KHR_meshopt_compression": "Meshopt compression",
    "KHR_draco_mesh_compression": "Draco compression",
    "KHR_gaussian_splatting": "Gaussian splats",
    "MSFT_texture_dds": "DDS textures",
    "EXT_texture_avif": "AVIF textures",
}
MESHOPT_SINCE = "5.2 or newer"


def check_gltf(
    path: str, *, readable: Collection[str] | None, blender: str, home: Path | None = None
) -> None:
    """Raise Refusal if the file is not whole, unreadable here, or reaches for other files.

    `readable` are the extensions that this Blender's importer reads, None where nobody knows;
    `blender` is its version, for the user. `home` is the folder that a .gltf's files may lie in.
    """
    file = read_gltf(path, home)
    try:
        _check_version(file)
        _check_extensions(file, readable, blender)
        _check_addresses(file, home or file.path.parent)
        views = Views(file)
        drawn = check_scene(file, _check_meshes(file, views))
        _check_images(file, views)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise damaged("its head does not hold what a glTF's does") from error
    if drawn > MAX_TRIANGLES:
        what = Message(
            "The mesh file draws {count} triangles, more than the {limit} allowed.",
            count=f"{drawn:,}",
            limit=f"{MAX_TRIANGLES:,}",
        )
        raise Refusal("bad_mesh", what, "Generate it with fewer faces.")


def _check_version(file: GltfFile) -> None:
    asset = file.head.get("asset")
    version = asset.get("version") if isinstance(asset, dict) else None
    if version is None:
        raise damaged("it does not say its version")
    if version != "2.0":
        told = shortened(str(version))
        what = Message(
            "The mesh file is glTF of version {version}, and 2.0 is what Blender reads.",
            version=told,
        )
        raise Refusal("bad_mesh", what, OTHER_FORMAT)


def _check_extensions(file: GltfFile, readable: Collection[str] | None, blender: str) -> None:
    required = file.head.get("extensionsRequired") or []
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise damaged("“extensionsRequired” is no list of names")
    missing = [name for name in required if readable is not None and name not in readable]
    if not missing:
        return
    named = " and ".join(_named(name) for name in dict.fromkeys(missing))
    hint = "Generate it again without that, or in another format, where the service has a setting."
    if any("meshopt" in name for name in missing):
        hint = Message(
            "Set “Compression” to None and generate it again, or use Blender {version}.",
            version=MESHOPT_SINCE,
        )
    what = Message(
        "The mesh file needs {names}, which Blender {blender} cannot read.",
        names=named,
        blender=blender,
    )
    raise Refusal("bad_mesh", what, hint)


def _named(extension: str) -> str:
    shown = shortened(extension)
    return f"{UNREAD[extension]} ({shown})" if extension in UNREAD else shown


def _check_addresses(file: GltfFile, home: Path) -> None:
    """Raise Refusal if the file names files that it has no claim to.

    A GLB holds all that it needs; a .gltf may name files in the folder that is its own.
    """
    for one in (*file.all("images"), *file.all("buffers")):
        address = one.get("uri")
        if address is None or is_data(address):
            continue
        if file.is_binary or not leads_into(unquote(address), file.path.parent, home):
            what = Message(
                "The mesh file names a file outside of it: “{address}”.", address=shortened(address)
            )
            raise Refusal("bad_mesh", what, OTHER_FORMAT)


def _check_meshes(file: GltfFile, views: Views) -> list[int]:
    """Check every primitive; return how many triangles each mesh has."""
    faces, primitives, values = [], 0, 0
    materials: set[object] = set()
    for mesh in file.all("meshes"):
        found = mesh.get("primitives") or []
        primitives += len(found)
        if primitives > MAX_PRIMITIVES:
            what = Message(
                "The mesh file has {count} parts; at most {limit} are read.",
                count=f"{primitives:,}",
                limit=f"{MAX_PRIMITIVES:,}",
            )
            raise too_much(what)
        faces.append(sum(_check_primitive(file, views, one) for one in found))
        values += sum(_values(file, one) for one in found)
        materials.update(one.get("material") for one in found)
    if len(materials) > MAX_MATERIALS:  # guard: materials-are-bounded
        raise too_many_materials(len(materials))
    if values > MAX_VALUES:  # guard: values-are-bounded
        raise too_much("The mesh file says more of its points than is read.")
    return faces


def too_many_materials(found: int) -> Refusal:
    """Refuse a mesh of more materials than any picture's model has."""
    return too_much(
        Message(
            "The mesh file has {count} materials; at most {limit} are read.",
            count=f"{found:,}",
            limit=f"{MAX_MATERIALS:,}",
        )
    )


def _values(file: GltfFile, primitive: dict[str, Any]) -> int:
    """Count what a primitive says of its points, where one accessor may be named many times."""
    position, indices = primitive["attributes"].get("POSITION"), primitive.get("indices")
    if position is None:
        return 0
    accessors = file.all("accessors")
    points = int(accessors[position]["count"])
    if indices is not None:  # Points that no face names are left out.
        points = min(points, int(accessors[indices]["count"]))
    targets = (primitive["attributes"], *(primitive.get("targets") or ()))
    return points * sum(len(target) for target in targets)


def _check_primitive(file: GltfFile, views: Views, primitive: dict[str, Any]) -> int:
    attributes = primitive["attributes"]
    position, indices = attributes.get("POSITION"), primitive.get("indices")
    mode = primitive.get("mode", 4)
    if mode not in range(7):
        raise damaged(Message("a part is drawn in a mode {mode}", mode=f"{mode!r}"))
    _index(primitive, "material", file.all("materials"))
    packed = (primitive.get("extensions") or {}).get("KHR_draco_mesh_compression")
    if packed is not None:
        views.check_packed(packed["bufferView"])
    if position is None:
        return 0
    vertices = views.count(position)
    for targets in (attributes, *(primitive.get("targets") or ())):
        for name, accessor in targets.items():
            if views.count(accessor, is_packed=packed is not None) != vertices:
                raise damaged(
                    Message("“{name}” is not there for every point", name=shortened(name))
                )
    if packed is None:
        views.check_positions(position)
    corners = vertices
    if indices is not None:
        corners = views.count(indices, is_packed=packed is not None)
        if packed is None:
            views.check_indices(indices, vertices)
    return max(0, corners // 3 if mode == 4 else corners - 2 if mode in (5, 6) else 0)


def _check_images(file: GltfFile, views: Views) -> None:
    images, pictures = file.all("images"), Pictures(GLTF_KINDS)
    for texture in file.all("textures"):
        _index(texture, "source", images)
    for image in images:
        address = image.get("uri")
        if address is None:
            pictures.add(views.bytes_of(image["bufferView"]))
        elif is_data(address):
            pictures.add(decoded(address))
        elif path := file.files.found(unquote(address)):
            pictures.add_file(path)


def _index(one: dict[str, Any], name: str, among: list[dict[str, Any]]) -> None:
    value = one.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < len(among)):
        raise damaged(Message("there is no {kind} {index}", kind=name, index=f"{value!r}"))
