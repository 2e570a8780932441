# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a glTF or GLB file for consistency before an importer reads it.

An importer trusts the file's JSON: counts become allocations, indices become memory accesses. So
every count, offset, stride, length, and index is checked against the file's size, and limits that
no genuine mesh reaches stop files that would only burn time. No bpy.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ...refusal import OTHER_FORMAT, Message, Refusal
from ..companion_files import is_inside
from ..image_headers import GLTF_KINDS, ImageBudget
from .accessors import Views
from .buffers import GltfFile, damaged_file, decode_data_uri, is_data_uri, read_gltf, shorten
from .nodes import check_scene, refuse_excess

MAX_TRIANGLES = 100_000_000
MAX_PRIMITIVES = 20_000
MAX_MATERIALS = 1_000
"""Maximum number of materials in use: Blender's importer takes a second for 500."""
MAX_VALUES = 200_000_000
"""Maximum number of values in attributes and morph targets of the vertices that are drawn."""
UNREAD = {
    "KHR_texture_basisu": "KTX2 textures",
    "EXT_meshopt_compression": "Meshopt compression",
    "KHR_meshopt_compression": "Meshopt compression",
    "KHR_draco_mesh_compression": "Draco compression",
    "KHR_gaussian_splatting": "Gaussian splats",
    "MSFT_texture_dds": "DDS textures",
    "EXT_texture_avif": "AVIF textures",
}
"""Extensions that some versions of Blender cannot read, and what messages call them."""
MESHOPT_SINCE = "5.2 or newer"


def check_gltf(
    path: str, *, readable: Collection[str] | None, blender: str, home: Path | None = None
) -> None:
    """Raise Refusal for a file that is damaged, too complex, or not readable in this Blender.

    Also raise it if the file refers to files that are not part of it.

    `readable` contains the extensions that this Blender's importer reads; None if unknown.
    `blender` is its version, for messages. `home` is the folder that a .gltf's files may lie in, by
    default the .gltf's own folder.
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
        raise damaged_file("its JSON has missing or invalid properties") from error
    if drawn > MAX_TRIANGLES:
        message = Message(
            "The mesh file has {count} triangles; the limit is {limit}.",
            count=f"{drawn:,}",
            limit=f"{MAX_TRIANGLES:,}",
        )
        raise Refusal("bad_mesh", message, "Generate or export it with fewer faces.")


def _check_version(file: GltfFile) -> None:
    asset = file.head.get("asset")
    version = asset.get("version") if isinstance(asset, dict) else None
    if version is None:
        raise damaged_file("“asset.version” is missing")
    if version != "2.0":
        told = shorten(str(version))
        message = Message(
            "The mesh file is glTF {version}, but Blender only reads glTF 2.0.",
            version=told,
        )
        raise Refusal("bad_mesh", message, OTHER_FORMAT)


def _check_extensions(file: GltfFile, readable: Collection[str] | None, blender: str) -> None:
    required = file.head.get("extensionsRequired") or []
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise damaged_file("“extensionsRequired” is not a list of names")
    missing = [name for name in required if readable is not None and name not in readable]
    if not missing:
        return
    named = " and ".join(_describe_extension(name) for name in dict.fromkeys(missing))
    hint = "Choose another format or other settings for the provider, then generate again."
    if any("meshopt" in name for name in missing):
        hint = Message(
            "Set Compression to None and generate again, or use Blender {version}.",
            version=MESHOPT_SINCE,
        )
    message = Message(
        "The mesh file needs {names}, which Blender {blender} cannot read.",
        names=named,
        blender=blender,
    )
    raise Refusal("bad_mesh", message, hint)


def _describe_extension(extension: str) -> str:
    shown = shorten(extension)
    return f"{UNREAD[extension]} ({shown})" if extension in UNREAD else shown


def _check_addresses(file: GltfFile, home: Path) -> None:
    """Raise Refusal if the file refers to files that do not belong to it.

    A GLB is self-contained; a .gltf may refer to files in its folder.
    """
    for item in (*file.all("images"), *file.all("buffers")):
        address = item.get("uri")
        if address is None or is_data_uri(address):
            continue
        if file.is_binary or not is_inside(unquote(address), file.path.parent, home):
            message = Message(
                "The mesh file refers to a file that is not part of it: “{address}”.",
                address=shorten(address),
            )
            raise Refusal("bad_mesh", message, OTHER_FORMAT)


def _check_meshes(file: GltfFile, views: Views) -> list[int]:
    """Check every primitive, and the total numbers of primitives, materials, and values.

    Return each mesh's number of triangles. Raise Refusal if something is invalid or exceeds a
    limit.
    """
    faces, primitives, values = [], 0, 0
    materials: set[object] = set()
    for mesh in file.all("meshes"):
        own_primitives = mesh.get("primitives") or []
        primitives += len(own_primitives)
        if primitives > MAX_PRIMITIVES:
            message = Message(
                "The mesh file has {count} parts; the limit is {limit}.",
                count=f"{primitives:,}",
                limit=f"{MAX_PRIMITIVES:,}",
            )
            raise refuse_excess(message)
        faces.append(sum(_check_primitive(file, views, primitive) for primitive in own_primitives))
        values += sum(_values(file, primitive) for primitive in own_primitives)
        materials.update(primitive.get("material") for primitive in own_primitives)
    if len(materials) > MAX_MATERIALS:  # guard: materials-are-bounded
        raise too_many_materials(len(materials))
    if values > MAX_VALUES:  # guard: values-are-bounded
        raise refuse_excess("The mesh file has too much vertex data.")
    return faces


def too_many_materials(found: int) -> Refusal:
    """Return the Refusal for a mesh with too many materials."""
    return refuse_excess(
        Message(
            "The mesh file has {count} materials; the limit is {limit}.",
            count=f"{found:,}",
            limit=f"{MAX_MATERIALS:,}",
        )
    )


def _values(file: GltfFile, primitive: dict[str, Any]) -> int:
    """Return how many attribute values Blender creates for a primitive and its morph targets.

    Values are counted per primitive, since several primitives may share an accessor. Return 0 for a
    primitive without positions.
    """
    position, indices = primitive["attributes"].get("POSITION"), primitive.get("indices")
    if position is None:
        return 0
    accessors = file.all("accessors")
    points = int(accessors[position]["count"])
    if indices is not None:  # The importer drops unused vertices.
        points = min(points, int(accessors[indices]["count"]))
    targets = (primitive["attributes"], *(primitive.get("targets") or ()))
    return points * sum(len(target) for target in targets)


def _check_primitive(file: GltfFile, views: Views, primitive: dict[str, Any]) -> int:
    attributes = primitive["attributes"]
    position, indices = attributes.get("POSITION"), primitive.get("indices")
    mode = primitive.get("mode", 4)
    if mode not in range(7):
        raise damaged_file(Message("a primitive has the unknown mode {mode}", mode=f"{mode!r}"))
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
                raise damaged_file(
                    Message("“{name}” does not have one value per vertex", name=shorten(name))
                )
    # Compressed values cannot be checked without decoding them.
    if packed is None:
        views.check_positions(position)
    corners = vertices
    if indices is not None:
        corners = views.count(indices, is_packed=packed is not None)
        if packed is None:
            views.check_indices(indices, vertices)
    return max(0, corners // 3 if mode == 4 else corners - 2 if mode in (5, 6) else 0)


def _check_images(file: GltfFile, views: Views) -> None:
    images, budget = file.all("images"), ImageBudget(GLTF_KINDS)
    for texture in file.all("textures"):
        _index(texture, "source", images)
    for image in images:
        address = image.get("uri")
        if address is None:
            budget.add(views.bytes_of(image["bufferView"]))
        elif is_data_uri(address):
            budget.add(decode_data_uri(address))
        elif path := file.files.find(unquote(address)):
            budget.add_file(path)


def _index(item: dict[str, Any], name: str, targets: list[dict[str, Any]]) -> None:
    value = item.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < len(targets)):
        raise damaged_file(Message("{kind} {index} does not exist", kind=name, index=f"{value!r}"))
