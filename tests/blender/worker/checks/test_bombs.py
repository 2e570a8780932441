# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that expand to huge ones: the worker's memory and time stay within bounds."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import write_picture
from fakes import broken, heads
from fakes.broken import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

PEAK = 3.7e9
"""Maximum bytes that the worker may use at its peak, no matter what a file says about its images:
three times their budget while the preview is rendered, plus Blender itself."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


@pytest.fixture
def worker(addon: ModuleType) -> Iterator[Any]:
    """A worker for one test: its peak memory is that test's."""
    process = addon_module("jobs.process.worker_process").WorkerProcess
    running = process(addon_module("scene").background_command())
    yield running
    running.kill()


def outcome(worker: Any, mesh: Path) -> str:
    """Prepare a mesh file with its preview; return “done”, or the error's kind and message."""
    error = import_module("bl_ext.user_default.image_to_mesh.providers").ImageToMeshError
    request = {"do": "prepare", "mesh": str(mesh), "name": "mesh", "render_preview": True,
               "output": str(mesh.with_name("model.blend")),
               "preview": str(mesh.with_name("preview.png"))}  # fmt: skip
    try:
        worker.ask(request, lambda *_: None, lambda: None)
    except error as refusal:
        return f"{refusal.kind}: {refusal.message}"
    return "done"


def peak_memory(worker: Any) -> int:
    """Return the peak memory of the process so far, in bytes."""
    status = Path(f"/proc/{worker._process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def glb(picture: bytes, uses: int) -> bytes:
    """Return a GLB of `uses` parts side by side, each with an image of the same bytes."""
    text, behind = broken.head(), broken.data()
    view = {"buffer": 0, "byteOffset": len(behind), "byteLength": len(picture)}
    text["bufferViews"].append(view)
    number = len(text["bufferViews"]) - 1
    text["buffers"][0]["byteLength"] = len(behind) + len(picture)
    text["images"] = [{"bufferView": number, "mimeType": "image/png"}] * uses
    text["textures"] = [{"source": entry} for entry in range(uses)]
    text["materials"] = [
        {"pbrMetallicRoughness": {"baseColorTexture": {"index": entry}}} for entry in range(uses)
    ]
    (part,) = text["meshes"][0]["primitives"]
    text["meshes"] = [{"primitives": [{**part, "material": entry}]} for entry in range(uses)]
    text["nodes"] = [{"mesh": entry, "translation": [2 * entry, 0, 0]} for entry in range(uses)]
    text["scenes"] = [{"nodes": list(range(uses))}]
    return broken.glb(text, behind + picture)


def obj_with(pictures: list[bytes]) -> bytes:
    """Return an archive of an OBJ with one part for each picture."""
    files = {f"{number}.png": picture for number, picture in enumerate(pictures)}
    lines, materials = ["mtllib m.mtl", "vt 0 0", "vt 1 0", "vt 0 1"], []
    for number in range(len(pictures)):
        lines += [f"v {2 * number + x} {y} 0" for x, y in ((0, 0), (1, 0), (0, 1))]
        lines += [f"usemtl m{number}", "f -3/1 -2/2 -1/3"]
        materials += [f"newmtl m{number}", f"map_Kd {number}.png"]
    files["m.mtl"] = "\n".join([*materials, ""]).encode()
    files["m.obj"] = "\n".join([*lines, ""]).encode()
    return archive(files)


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "960 bytes": ("glb", lambda: glb(heads.tiff(30_000, 30_000), 1), "bad_mesh"),
    "one view, 40 images": (
        "glb",
        lambda: glb(heads.png(16384, 16384, bits=1, color=0, whole=True), 40),
        "bad_mesh",
    ),
    "the largest": (
        "glb",
        lambda: glb(heads.png(16384, 16384, bits=1, color=0, whole=True), 1),
        "done",
    ),
    "1 MB of 16 bits": (
        "glb",
        lambda: glb(heads.png(8192, 8192, bits=16, color=6, whole=True).ljust(1 << 20), 1),
        "done",
    ),
    "5 beside an OBJ": (
        "zip",
        lambda: obj_with([heads.png(8192, 8192, bits=1, color=0, whole=True)] * 5),
        "bad_mesh",
    ),
    "4 beside an OBJ": (
        "zip",
        lambda: obj_with([heads.png(8192, 8192, bits=1, color=0, whole=True)] * 4),
        "done",
    ),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", BOMBS)
def test_memory_stays_below_a_limit(name: str, worker: Any, tmp_path: Path) -> None:
    suffix, write, end = BOMBS[name]
    mesh = tmp_path / f"mesh.{suffix}"
    mesh.write_bytes(write())
    assert mesh.stat().st_size < 1_100_000
    worker.version(lambda: None)
    before = peak_memory(worker)
    assert outcome(worker, mesh).partition(":")[0] == end
    held = peak_memory(worker)
    print(f"bpy {bpy.app.version_string}, {name}: {held / 1e9:.2f} GB, {before / 1e9:.2f} before")
    assert held < PEAK
    if end == "bad_mesh":  # Refused before anything was opened.
        assert held - before < 0.2e9
    assert list(Path(worker._folder.path).glob("image_to_mesh-*")) == []


def glb_with_nodes(count: int) -> bytes:
    """Return a GLB of `count` nodes, each with its own mesh."""
    text = broken.head()
    text["meshes"] = text["meshes"] * count
    text["nodes"] = [{"mesh": number} for number in range(count)]
    text["scenes"] = [{"nodes": list(range(count))}]
    return broken.glb(text)


def test_19_000_nodes_are_refused_at_once(worker: Any, tmp_path: Path) -> None:
    mesh = tmp_path / "mesh.glb"
    mesh.write_bytes(glb_with_nodes(19_000))
    assert "19,000 objects; the limit is 2,000" in outcome(worker, mesh)


@pytest.fixture
def arrival(worker_module: Callable[[str], ModuleType]) -> Any:
    return worker_module("checks.imported_scene").ImportedData()


def test_imported_objects_are_counted_in_every_format(
    arrival: Any, worker_module: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """Objects that were there before do not count: the artist's own file may hold many."""
    refusal = worker_module("refusal").Refusal
    arrival.check()
    mesh = bpy.data.meshes.new("part")
    for number in range(2001):
        bpy.data.objects.new(f"part {number}", mesh)
    with pytest.raises(refusal, match="2,001 objects"):
        arrival.check()
    worker_module("checks.imported_scene").ImportedData().check()


def test_imported_materials_are_counted(
    arrival: Any, worker_module: Callable[[str], ModuleType]
) -> None:
    for number in range(1001):
        bpy.data.materials.new(f"m{number}")
    with pytest.raises(worker_module("refusal").Refusal, match="1,001 materials"):
        arrival.check()


@pytest.mark.parametrize("is_packed", [True, False])
def test_imported_images_are_counted(
    is_packed: bool, arrival: Any, worker_module: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """A second image of the same file counts again, and none is opened to count it."""
    path = tmp_path / "skin.png"
    path.write_bytes(heads.png(16384, 16384))
    for number in range(2):
        image = bpy.data.images.load(str(path), check_existing=False)
        if is_packed:
            image.pack()
        if number == 0:
            arrival.check()
    with pytest.raises(worker_module("refusal").Refusal, match="more than 1"):
        arrival.check()


def test_two_images_in_an_fbx_stay_separate(
    worker_module: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    """Their paths, of one length, are cleared before the import: they must not become equal."""
    for name, color in (("a", 10), ("b", 200)):
        picture = write_picture(tmp_path / f"{name}.png", color_of(color))
        bpy.ops.mesh.primitive_cube_add()
        material = worker_module("prepare.principled").new_material(name)
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(picture))
        surface = material.node_tree.nodes["Principled BSDF"]
        material.node_tree.links.new(node.outputs["Color"], surface.inputs["Base Color"])
        bpy.context.object.data.materials.append(material)
    mesh = tmp_path / "job" / "mesh.fbx"
    mesh.parent.mkdir()
    bpy.ops.export_scene.fbx(
        filepath=str(mesh), object_types={"MESH"}, path_mode="COPY", embed_textures=True
    )
    for picture_file in tmp_path.glob("*.png"):
        picture_file.unlink()
    worker_module("fresh_file").open_empty_file()
    request = {"mesh": str(mesh), "name": "photo", "output": str(tmp_path / "model.blend")}
    done = SimpleNamespace(
        **worker_module("prepare.build_model").prepare_model(request, lambda *_: None)
    )
    assert done.notes == []
    packed = [bytes(image.packed_file.data) for image in bpy.data.images if image.packed_file]
    assert len(set(packed)) == 2
    assert [path.name for path in mesh.parent.iterdir()] == ["mesh.fbx"]


def color_of(value: int) -> Any:
    import numpy as np

    return np.full((4, 4, 3), value, np.uint8)
