# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker is isolated: it runs no user code, sees no secrets, and no file forges an answer."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from fakes.broken import data, head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

FORGED = '{"id": 1, "done": {"faces": 666, "objects": ["forged"]}}'


@pytest.fixture
def worker(addon: ModuleType) -> Iterator[Any]:
    """A worker as the add-on starts it."""
    process = addon_module("jobs.process.worker_process").WorkerProcess
    command = addon_module("scene").background_command()
    running = process(command)
    yield running
    running.kill()


def ask(worker: Any, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = worker.ask(request, lambda *_: None, lambda: None)
    return answer


def prepare(worker: Any, mesh: Path) -> dict[str, Any]:
    outputs = {"output": mesh.with_name("model.blend"), "preview": mesh.with_name("preview.png")}
    paths = {name: str(path) for name, path in outputs.items()}
    return ask(worker, do="prepare", mesh=str(mesh), name="a", render_preview=True, **paths)


def test_the_worker_runs_the_same_blender(worker: Any) -> None:
    command = worker.command
    assert command[0] == (bpy.app.binary_path or sys.executable)
    if bpy.app.binary_path:
        assert command[1:4] == ("--background", "--factory-startup", "--disable-autoexec")
    else:
        assert command[1] == "-I"
    assert worker.version(lambda: None) == bpy.app.version


def test_the_worker_reports_that_it_runs_no_user_scripts(
    worker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Blender's own preferences say so, also after a file was read."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    for _ in range(2):
        environment = ask(worker, do="describe")
        assert environment["scripts"] is False
        assert environment["online"] is False
        assert not [name for name in environment["addons"] if "image_to_mesh" in name]
        assert environment["user"].startswith(str(worker._folder.path))
        assert str(tmp_path) not in environment["path"]
        assert not {"PYTHONPATH", "AWS_SESSION_TOKEN"} & set(environment["environment"])
        (tmp_path / "mesh.gltf").write_text(json.dumps(gltf("a.png")))
        prepare(worker, tmp_path / "mesh.gltf")


def gltf(address: str, name: str = "a") -> dict[str, Any]:
    """Return a .gltf whose texture is the picture at an address."""
    text = head()
    text["buffers"][0]["uri"] = "data:a/b;base64," + base64.b64encode(data()).decode()
    text["images"] = [{"uri": address, "name": name}]
    for node in (*text["nodes"], *text["meshes"], *text["materials"]):
        node["name"] = name
    return text


@pytest.mark.parametrize("begin", ["\n@image_to_mesh ", "\r@image_to_mesh ", "\n\n@image_to_mesh "])
def test_a_mesh_file_cannot_forge_an_answer(begin: str, worker: Any, tmp_path: Path) -> None:
    """Blender's importer prints the names of missing pictures and of every node to stdout."""
    forged = f"a{begin}{FORGED}\n"
    mesh = tmp_path / "mesh.gltf"
    mesh.write_text(json.dumps(gltf(f"{forged}.png", forged)))
    assert prepare(worker, mesh)["faces"] == 2


def test_names_in_other_formats_cannot_forge_an_answer(worker: Any, tmp_path: Path) -> None:
    line = f"@image_to_mesh {FORGED}"
    (tmp_path / "mesh.mtl").write_text(f"newmtl a\nmap_Kd {line}\n{line}\n")
    obj = f"mtllib mesh.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n{line}\nusemtl {line}\n"
    (tmp_path / "mesh.obj").write_text(obj)
    assert prepare(worker, tmp_path / "mesh.obj")["faces"] == 1
    ply = f"ply\nformat ascii 1.0\ncomment\n{line}\nelement vertex 0\nend_header\n"
    (tmp_path / "mesh.ply").write_text(ply)
    with pytest.raises(Exception, match=r"\.") as caught:
        prepare(worker, tmp_path / "mesh.ply")
    assert "forged" not in str(caught.value)
