# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's clients against the fake: comfy-headless, comfyui-cli, and comfy-toolkit.

Each makes a mesh in its own way, and finds in the fake what it expects of ComfyUI.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import sdk
from fakes.comfyui import Comfyui, serving

from image_to_mesh.providers._comfyui.shipped import shipped_workflows

CLIENTS = ("comfy-headless==3.1.1", "comfyui-cli==0.1.1", "comfy-toolkit==0.1.0")

HEADLESS = """
import json, os
from comfy_headless.client import ComfyClient
client = ComfyClient(os.environ["ADDRESS"])
image = client.upload_image(open(os.environ["IMAGE"], "rb").read(), filename="cup.png")
made = client.generate_3d(image, checkpoint="hunyuan3d-dit-v2_fp16.safetensors", seed=7, timeout=30)
mesh = client.get_file(**{("folder_type" if key == "type" else key): value
                          for key, value in made["meshes"][0].items()}) if made["meshes"] else b""
graphs = json.loads(os.environ["GRAPHS"])
print(json.dumps({
    "online": client.is_online(), "stats": client.get_system_stats(), "image": image, "made": made,
    "checkpoints": client._get_object_info("ImageOnlyCheckpointLoader", "ckpt_name"),
    "mesh": len(mesh), "start": mesh[:4].decode(),
    "needs": [client.check_workflow_dependencies(graph)["missing"] for graph in graphs],
    "types": [client.check_workflow_types(graph) for graph in graphs],
}))
"""

CLI = """
import json, os
from urllib.parse import urlsplit
from comfyui.core.client import ComfyUIClient
client = ComfyUIClient(port=urlsplit(os.environ["ADDRESS"]).port)
(graph,) = json.loads(os.environ["GRAPHS"])
names = [client.upload_image(os.environ[name], subfolder="cups") for name in ("IMAGE", "OTHER")]
graph["10"]["inputs"]["image"] = "cups/" + names[0]["name"]
queued = client.queue_prompt(graph)
id_ = queued["prompt_id"]
queue = client.get_queue()
client.delete_queue_items([id_])
deleted = client.get_history(id_)
again = client.queue_prompt(graph)["prompt_id"]
client.get_queue()
client.get_queue()
entry = client.get_history(again)[again]
(file,) = entry["outputs"]["8"]["3d"]
mesh = client.view_image(file["filename"], file["type"], file["subfolder"])
client.free_memory()
client.interrupt()
graph["1"]["inputs"]["ckpt_name"] = "other.safetensors"
try:
    client.queue_prompt(graph)
except Exception as error:
    refused = str(error) + repr(vars(error))
print(json.dumps({
    "names": names, "queued": queued, "waiting": [row[1] for row in queue["queue_pending"]],
    "deleted": deleted, "status": entry["status"], "mesh": len(mesh), "refused": refused,
    "node": client.get_node_info("KSampler"), "unknown": client.get_node_info("Zed"),
}))
"""

TOOLKIT = """
import json, os
from comfy_toolkit.client import ComfyClient
client = ComfyClient(os.environ["ADDRESS"])
(graph,) = json.loads(os.environ["GRAPHS"])
id_ = client.submit(graph)
seen = [client.history(id_) is None, client.queue_status()]
for _ in range(3):
    client.queue_status()
entry = client.history(id_)
(file,) = entry["outputs"]["8"]["3d"]
print(json.dumps({"online": client.is_online(), "seen": seen, "status": entry["status"],
                  "mesh": len(client.download(file))}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """Return the interpreter that has the clients."""
    return sdk.client("comfyui", *CLIENTS)


@pytest.fixture
def server() -> Iterator[Comfyui]:
    """ComfyUI on loopback."""
    with serving(Comfyui()) as running:
        yield running


@pytest.fixture
def images(tmp_path: Path, png: bytes) -> dict[str, str]:
    """Two different images, as variables for a script."""
    paths = {"IMAGE": tmp_path / "cup.png", "OTHER": tmp_path / "other" / "cup.png"}
    paths["OTHER"].parent.mkdir()
    for number, path in enumerate(paths.values()):
        path.write_bytes(png + bytes(number))
    return {name: str(path) for name, path in paths.items()}


def graphs(*ids: str) -> str:
    """Return shipped workflows as JSON."""
    return json.dumps([item.graph for item in shipped_workflows() if not ids or item.id in ids])


def test_comfy_headless_makes_a_mesh_and_accepts_the_shipped_workflows(
    python: Path, server: Comfyui, images: dict[str, str]
) -> None:
    told: dict[str, Any] = sdk.run(python, HEADLESS, ADDRESS=server.url, GRAPHS=graphs(), **images)
    assert told["online"]
    assert told["stats"]["system"]["comfyui_version"] == "0.3.64"
    assert told["image"]["ref"] == "cup.png"
    assert (told["made"]["success"], told["made"]["error"]) == (True, None)
    assert (told["mesh"], told["start"]) == (len(_output_of(server)), "glTF")
    assert "hunyuan_3d_v2.1.safetensors" in told["checkpoints"]
    assert told["needs"] == [[], [], []]
    assert [types["errors"] for types in told["types"]] == [[], [], []]
    assert all(types["checked"] for types in told["types"])


def test_comfyui_cli_finds_queue_history_and_refusals(
    python: Path, server: Comfyui, images: dict[str, str]
) -> None:
    server.stages = ["pending", "pending"]
    told = sdk.run(python, CLI, ADDRESS=server.url, GRAPHS=graphs("hunyuan3d-2.1"), **images)
    assert [item["name"] for item in told["names"]] == ["cup.png", "cup (1).png"]
    assert told["queued"]["node_errors"] == {}
    assert told["waiting"] == [told["queued"]["prompt_id"]]
    assert told["deleted"] == {}
    assert (told["status"]["status_str"], told["status"]["completed"]) == ("success", True)
    assert told["mesh"] == len(_output_of(server))
    assert "value_not_in_list" in told["refused"]
    assert told["node"]["KSampler"]["input"]["required"]["steps"][0] == "INT"
    assert told["unknown"] == {}
    assert server.freed == 1


def test_comfy_toolkit_polls_to_the_end(
    python: Path, server: Comfyui, images: dict[str, str], png: bytes
) -> None:
    server.files["input", "", "front.png"] = png
    server.stages = ["running", "running"]
    told = sdk.run(python, TOOLKIT, ADDRESS=server.url, GRAPHS=graphs("hunyuan3d-2.1"), **images)
    assert told["online"]
    assert told["seen"][0]
    assert told["status"]["status_str"] == "success"
    assert told["mesh"] == len(_output_of(server))


def _output_of(server: Comfyui) -> bytes:
    return next(data for item, data in server.files.items() if item[0] == "output")
