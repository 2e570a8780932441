# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh is found in answers of every shape, and no answer breaks the search."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from image_to_mesh.providers._shared.results.find_mesh import (
    FORMATS,
    MAX_DEPTH,
    MAX_FOUND,
    MAX_VALUES,
    FoundMesh,
    find_meshes,
)

# Shapes as in fal's, Gradio's, ComfyUI's and AI/ML API's own answers.
FILE_DATA = {
    "path": "/tmp/gradio/3f/textured_mesh.glb",
    "url": "http://127.0.0.1:7860/file=/tmp/gradio/3f/textured_mesh.glb",
    "orig_name": "textured_mesh.glb",
    "mime_type": None,
    "meta": {"_type": "gradio.FileData"},
}
PREVIEW = {"path": "/tmp/gradio/3f/preview.png", "orig_name": "preview.png"}
WHITE = {"path": "/tmp/gradio/3f/white_mesh.glb", "orig_name": "white_mesh.glb"}
SAVED = {"filename": "mesh_00001_.glb", "subfolder": "image_to_mesh", "type": "output"}


def update(value: object) -> dict[str, object]:
    """Return a value in the wrapper in which Gradio sends changed components."""
    return {"__type__": "update", "value": value}


def best(answer: object) -> FoundMesh:
    """Return the most suitable mesh."""
    return find_meshes(answer)[0]


@pytest.mark.parametrize(
    ("answer", "where", "format_"),
    [
        ("https://cdn.example/a/mesh.glb?sig=1", "https://cdn.example/a/mesh.glb?sig=1", "glb"),
        ("/tmp/out/Mesh.OBJ", "/tmp/out/Mesh.OBJ", "obj"),
        ({"output": ["https://cdn.example/x.zip"]}, "https://cdn.example/x.zip", "zip"),
        ({"model_mesh": {"url": "https://cdn.example/f/1", "file_name": "model.glb"}},
         "https://cdn.example/f/1", "glb"),
        ({"model_mesh": {"url": "https://cdn.example/f/1",
                         "content_type": "application/octet-stream"}},
         "https://cdn.example/f/1", None),
        ({"data": [{"url": "https://cdn.example/f", "content_type": "model/gltf-binary"}]},
         "https://cdn.example/f", "glb"),
        ({"output": {"data": [None, update(FILE_DATA)]}}, FILE_DATA["url"], "glb"),
        ([update(update([PREVIEW, FILE_DATA]))], FILE_DATA["url"], "glb"),
        ({"9": {"3d": [SAVED]}}, "mesh_00001_.glb", "glb"),
        ({"12": {"result": ["out/a mesh.stl", None]}}, "out/a mesh.stl", "stl"),
    ],
)  # fmt: skip
def test_the_mesh_is_found(answer: object, where: str, format_: str | None) -> None:
    mesh = best(answer)
    assert (mesh.url or mesh.path, mesh.format) == (where, format_)


def test_a_file_of_comfyui_keeps_its_folder() -> None:
    mesh = best({"9": {"3d": [SAVED]}})
    assert mesh == FoundMesh(
        path="mesh_00001_.glb",
        subfolder="image_to_mesh",
        folder="output",
        format="glb",
        place=("9", "3d", 0),
    )


def test_a_file_of_gradio_has_both_its_address_and_its_path() -> None:
    mesh = best([FILE_DATA])
    assert (mesh.url, mesh.path) == (FILE_DATA["url"], FILE_DATA["path"])
    assert mesh.folder == ""


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        3.5,
        "",
        "glb",
        "a mesh",
        "https://cdn.example/preview.png",
        "ftp://cdn.example/mesh.glb",
        "line\nbreak.glb",
        {"seed": 7, "path": 3},
        {"image": {"url": "https://cdn.example/a.webp", "content_type": "image/webp"}},
        {"video": {"path": "/tmp/a.mp4"}, "html": "<model src='a.glb'></model>"},
        {"model_mesh": {"url": "https://cdn.example/preview.png"}},
        [PREVIEW, update(PREVIEW), {"filename": "a.png", "subfolder": "", "type": "temp"}],
    ],
)
def test_nothing_else_is_taken_for_a_mesh(answer: object) -> None:
    assert find_meshes(answer) == ()


def test_preferred_names_come_before_formats_and_archives_are_last() -> None:
    answer = {
        "archive": "https://cdn.example/all.zip",
        "other": "https://cdn.example/other.glb",
        "model_mesh": {"url": "https://cdn.example/mesh.obj"},
        "model_urls": {"fbx": "https://cdn.example/m.fbx", "glb": "https://cdn.example/m.glb"},
        "model_glb": {"url": "https://cdn.example/first.obj", "file_name": "first.obj"},
    }
    found = [mesh.url.rpartition("/")[2] for mesh in find_meshes(answer)]
    assert found == ["first.obj", "m.glb", "mesh.obj", "other.glb", "m.fbx", "all.zip"]


def test_textured_comes_before_bare_in_any_order() -> None:
    for answer in ([update(WHITE), update(FILE_DATA)], [update(FILE_DATA), update(WHITE)]):
        assert [mesh.path for mesh in find_meshes(answer)] == [FILE_DATA["path"], WHITE["path"]]


def test_otherwise_the_format_decides_and_then_the_order() -> None:
    answer = ["a.stl", "b.ply", "c.obj", "d.glb", "e.fbx", "f.gltf", "g.usdz", "h.glb", "i.zip"]
    found = [mesh.path for mesh in find_meshes(answer)]
    assert found[:2] == ["d.glb", "h.glb"]
    assert [path.rpartition(".")[2] for path in found[1:]] == list(FORMATS)


def test_a_file_that_is_named_twice_is_returned_once() -> None:
    assert len(find_meshes([FILE_DATA, update(FILE_DATA), {"again": FILE_DATA}])) == 1


def test_a_file_object_is_searched_for_others() -> None:
    answer = {"url": "https://cdn.example/page", "output": {"glb": "https://cdn.example/m.glb"}}
    assert [mesh.url for mesh in find_meshes(answer)] == ["https://cdn.example/m.glb"]


def nest(depth: int) -> Any:
    """Return a mesh within lists."""
    answer: Any = "mesh.glb"
    for _ in range(depth):
        answer = [answer]
    return answer


def test_the_search_ends_at_its_depth() -> None:
    assert find_meshes(nest(MAX_DEPTH))
    assert not find_meshes(nest(MAX_DEPTH + 1))
    assert not find_meshes(nest(100_000))


def test_an_endless_answer_is_not_followed() -> None:
    answer: dict[str, Any] = {}
    answer["again"] = [answer, answer]
    started = time.process_time()
    assert find_meshes(answer) == ()
    assert time.process_time() - started < 5.0  # 0.1 s on a quiet machine


def test_the_search_ends_at_its_number_of_values() -> None:
    assert not find_meshes([*([None] * MAX_VALUES), "mesh.glb"])
    assert len(find_meshes([f"{number}.glb" for number in range(500)])) == MAX_FOUND


LEAVES: tuple[Any, ...] = (
    None, True, 0, -1.5, float("nan"), "", "mesh.glb", "https://x.test/a.GLB?q#f", "://.glb",
    ".glb", "\ud83d.glb", "\0.obj", "x" * 20_000 + ".glb", "a/../../b.zip", "\u202eblg.exe",
    10**400,
)  # fmt: skip
NAMES: tuple[Any, ...] = (
    "url", "path", "filename", "file_name", "orig_name", "subfolder", "type", "__type__", "value",
    "model_glb", "model_urls", "mesh", "3d", "content_type", "", "\ud83d", "a",
)  # fmt: skip


def arbitrary(random_: random.Random, depth: int) -> Any:
    """Return an arbitrary JSON value, with the names and values that the search looks for."""
    kind = random_.random() if depth else 0.0
    if kind < 0.4:
        return random_.choice(LEAVES)
    count = random_.randrange(5)
    if kind < 0.65:
        return [arbitrary(random_, depth - 1) for _ in range(count)]
    return {random_.choice(NAMES): arbitrary(random_, depth - 1) for _ in range(count)}


@pytest.mark.parametrize("seed", range(300))
def test_any_answer_is_searched_without_an_error(seed: int) -> None:
    answer = arbitrary(random.Random(seed), 7)
    found = find_meshes(answer)
    assert found == find_meshes(answer)
    assert len(found) <= MAX_FOUND
    for mesh in found:
        assert mesh.url or mesh.path
        assert f"{mesh.url}{mesh.path}{mesh.subfolder}{mesh.folder}".isprintable()
        assert mesh.format is None or mesh.format in FORMATS
        assert not mesh.url or mesh.url.startswith(("https://", "http://"))
        value = answer
        for part in mesh.place:
            value = value[part]
        assert (mesh.url or mesh.path) in json.dumps(value, ensure_ascii=False)
