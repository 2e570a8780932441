# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds mesh files in any JSON answer, for services whose answers differ by model, app, or graph.

Recognized are the file objects of fal and Replicate (`url`, `file_name`), Gradio's FileData
(`path`, `orig_name`) and its updates, ComfyUI's outputs (`filename`, `subfolder`, `type`), and
plain strings that end like a mesh file. Names lie at times: what was downloaded decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..exact_ids import is_sendable_unchanged
from ..http.addresses import ending_of

FORMATS = ("glb", "gltf", "fbx", "obj", "usdz", "ply", "stl", "zip")
"""File formats, in order of preference; an archive may hold anything."""
MEDIA_TYPES: Mapping[str, str] = {
    "model/gltf-binary": "glb",
    "model/glb": "glb",
    "model/gltf+json": "gltf",
    "model/x-fbx": "fbx",
    "model/fbx": "fbx",
    "model/obj": "obj",
    "model/vnd.usdz+zip": "usdz",
    "model/ply": "ply",
    "model/stl": "stl",
}
MAX_DEPTH = 32
"""Nesting beyond which an answer is not searched."""
MAX_VALUES = 20_000
"""Values of an answer that are searched."""
MAX_FOUND = 100
"""Files that are returned."""

_FIRST = ("model_glb", "glb", "model_mesh", "model_file", "mesh", "3d", "model")
"""Names in an answer, by preference; the first three are those of fal's models."""
_NAMES = ("orig_name", "file_name", "filename", "name", "path", "url")
"""Fields of a file object that may end in its format, by reliability."""
_WHERE = frozenset({"url", "path", "filename"})
_TYPES = ("content_type", "mime_type", "mimeType", "media_type", "type")
_TEXTURED = ("textured", "pbr")
_BARE = ("white", "untextured", "base_model", "initial", "remesh")

Place = tuple[str | int, ...]


class FoundMesh(NamedTuple):
    """A file in an answer that is or may be a mesh.

    `url` and `path` are where the service says that it is: an address, or a path on the server.
    One of both may be empty. For ComfyUI, `path` is the file's name, and `subfolder` and
    `folder` (its `type`, such as "output") complete it. `format` is the expected file extension,
    None if nothing tells it. `place` has the names and indices that lead to the file in the answer.
    """

    url: str = ""
    path: str = ""
    subfolder: str = ""
    folder: str = ""
    format: str | None = None
    place: Place = ()


def find_meshes(answer: object) -> tuple[FoundMesh, ...]:
    """Return the mesh files in a decoded JSON answer, the most suitable first.

    A file under a name such as `model_glb` comes first, textured before bare, GLB before other
    formats, and archives and files of unknown format last. Other files, such as previews, are left
    out. At most MAX_FOUND are returned; what is nested deeper than MAX_DEPTH, or comes after
    MAX_VALUES values, is ignored. Makes no call, and raises no error for any input.
    """
    found: dict[tuple[str, ...], FoundMesh] = {}
    for place, value in _walk(answer):
        mesh = _as_mesh(place, value)
        if mesh is not None:
            found.setdefault((mesh.url, mesh.path, mesh.subfolder, mesh.folder), mesh)
    return tuple(sorted(found.values(), key=_rank)[:MAX_FOUND])


def _walk(answer: object) -> Iterator[tuple[Place, object]]:
    """Yield the values of an answer with their places, in its order, without the fields of files.

    A stack instead of recursion, since the nesting is up to the server.
    """
    remaining = MAX_VALUES
    pending: list[tuple[Place, object]] = [((), answer)]
    while pending and remaining > 0:
        place, value = pending.pop()
        remaining -= 1
        yield place, value
        if len(place) < MAX_DEPTH:
            # Reversed, so that the first is the next to be taken; and never more than can be read.
            pending += reversed(_children(place, value)[:remaining])


def _children(place: Place, value: object) -> list[tuple[Place, object]]:
    if isinstance(value, Mapping):
        own = _WHERE | set(_NAMES) if _is_file(value) else frozenset()
        return [((*place, str(key)), item) for key, item in value.items() if key not in own]
    if isinstance(value, list | tuple):
        return [((*place, index), item) for index, item in enumerate(value[:MAX_VALUES])]
    return []


def _is_file(value: Mapping[Any, Any]) -> bool:
    return any(_text(value, name) for name in _WHERE)


def _as_mesh(place: Place, value: object) -> FoundMesh | None:
    """Return the mesh that a value is; None for all others."""
    if isinstance(value, Mapping):
        return _from_object(place, value) if _is_file(value) else None
    if isinstance(value, str) and _is_usable(value):
        format_ = _format_of(value)
        if format_ is None:
            return None
        if "://" in value:
            return FoundMesh(url=value, format=format_, place=place) if _is_web(value) else None
        return FoundMesh(path=value, format=format_, place=place)
    return None


def _from_object(place: Place, value: Mapping[Any, Any]) -> FoundMesh | None:
    endings = [ending_of(_text(value, name)) for name in _NAMES]
    known = next((ending for ending in endings if ending in FORMATS), None)
    format_ = known or next(filter(None, (_of_type(_text(value, name)) for name in _TYPES)), None)
    # A file that only its place calls a mesh: services name files “mesh” that have no ending.
    is_named = _name_rank(place) < len(_FIRST) and not any(endings)
    if format_ is None and not is_named:
        return None
    url = _text(value, "url") if _is_web(_text(value, "url")) else ""
    path = _text(value, "filename") or _text(value, "path")
    if not (url or path):
        return None
    return FoundMesh(
        url=url,
        path=path,
        subfolder=_text(value, "subfolder"),
        folder=_text(value, "type") if _text(value, "filename") else "",
        format=format_,
        place=place,
    )


def _text(value: Mapping[Any, Any], name: str) -> str:
    """Return a field of a file object if it is usable text, else an empty string."""
    text = value.get(name)
    return text if isinstance(text, str) and _is_usable(text) else ""


def _is_usable(text: str) -> bool:
    return bool(text) and is_sendable_unchanged(text)


def _is_web(text: str) -> bool:
    return text.startswith(("https://", "http://"))


def _format_of(text: str) -> str | None:
    ending = ending_of(text)
    return ending if ending in FORMATS else None


def _of_type(text: str) -> str | None:
    return MEDIA_TYPES.get(text.partition(";")[0].strip().lower())


def _rank(mesh: FoundMesh) -> tuple[bool, int, int, int]:
    """Return a key by which the most suitable mesh is sorted first; equal ones keep their order."""
    words = "/".join(str(part) for part in (*mesh.place, mesh.url, mesh.path)).lower()
    texture = 0 if any(word in words for word in _TEXTURED) else 1
    if any(word in words for word in _BARE):
        texture = 2
    number = FORMATS.index(mesh.format) if mesh.format else len(FORMATS)
    return number >= FORMATS.index("zip"), _name_rank(mesh.place), texture, number


def _name_rank(place: Place) -> int:
    """Return the rank of the names that lead to a value; `len(_FIRST)` if none says mesh."""
    names = {part.lower() for part in place if isinstance(part, str)}
    return next((rank for rank, name in enumerate(_FIRST) if name in names), len(_FIRST))
