# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's own MCP server, 0.5.2 from npm, against the fake, and its requests beside ours.

It is older than models 7.1 and T2.5. Newer versions are not on npm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import sdk
from fakes.meshy import KEY, LIFE, SEVERAL, SINGLE, Meshy
from fakes.meshy_calls import BALANCE, CREATE, LIST, PROVIDER, order
from fakes.png import png_of

from image_to_mesh.providers import CancelOutcome, Picture, Request, Uploaded
from image_to_mesh.providers._shared.http.client import Http

PACKAGE = "@meshy-ai/meshy-mcp-server@0.5.2"
# Speaks the protocol of the server: a line of JSON for each message.
SCRIPT = """
import json, os, subprocess, sys
from pathlib import Path

node = Path(sys.executable).parent / "node"
server = subprocess.Popen([node, os.environ["SERVER"]], stdin=-1, stdout=-1, stderr=-1, text=True)
replies = []

def tell(**message):
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    server.stdin.flush()

def ask(number, method, params):
    tell(id=number, method=method, params=params)
    while (line := server.stdout.readline()):
        answer = json.loads(line)
        if answer.get("id") == number:
            return answer
    raise SystemExit(server.stderr.read())

who = {"name": "test", "version": "1"}
ask(0, "initialize", {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": who})
tell(method="notifications/initialized")
for number, (tool, given) in enumerate(json.loads(os.environ["CALLS"]), 1):
    given = {name: replies[0]["structuredContent"]["task_id"] if value == "FIRST" else value
             for name, value in given.items()}
    answer = ask(number, "tools/call", {"name": tool, "arguments": given})
    replies.append(answer.get("result") or {"isError": True, "content": [answer["error"]]})
server.kill()
print(json.dumps(replies))
"""
# What the service assumes without them; the client sends some of them always.
DEFAULTS: dict[str, Any] = {
    "model_type": "standard",
    "moderation": False,
    "enable_pbr": False,
    "remove_lighting": True,
    "image_enhancement": True,
    "should_remesh": False,
}


@pytest.fixture(scope="module")
def client() -> tuple[Path, Path]:
    """The interpreter beside node, and the folder of Meshy's MCP server."""
    return sdk.npm_client("meshy", PACKAGE)


def run_client(client: tuple[Path, Path], fake: Meshy, *calls: tuple[str, Any]) -> list[Any]:
    """Let the client make these calls; return their results."""
    python, folder = client
    variables = {"SERVER": str(folder / "dist" / "index.js"), "CALLS": json.dumps(calls)}
    told: list[Any] = sdk.run(
        python, SCRIPT, MESHY_API_HOST=fake.url, MESHY_API_KEY=KEY, **variables
    )
    return told


def cup(folder: Path, view: str = "front") -> str:
    """Write a picture and return its path."""
    path = folder / f"{view}.png"
    path.write_bytes(png_of(64, 48))
    return str(path)


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without the values that are assumed anyway."""
    return {name: value for name, value in body.items() if DEFAULTS.get(name) != value}


SINGLES: list[dict[str, Any]] = [
    {"ai_model": "latest"},
    {"ai_model": "meshy-7", "texture_resolution": "8k", "enable_pbr": True},
    {"ai_model": "meshy-6", "remove_lighting": False, "image_enhancement": False},
    {"ai_model": "meshy-6", "texture_prompt": "old bronze", "pose_mode": "t-pose"},
    {"ai_model": "meshy-7", "should_remesh": True, "target_polycount": 5000},
    {"ai_model": "meshy-7", "should_remesh": True, "decimation_mode": 3},
    {"ai_model": "meshy-7", "should_texture": False},
    {"ai_model": "meshy-7", "auto_size": True, "origin_at": "center"},
    {"ai_model": "meshy-t2", "target_polycount": 15_000},
]
QUADS: dict[str, Any] = {"ai_model": "meshy-7", "should_remesh": True, "topology": "quad"}


def theirs(values: dict[str, Any]) -> dict[str, Any]:
    """Return settings as the client's tools take them: what we conclude has to be said."""
    kind = {"model_type": "smart-topology"} if values["ai_model"].startswith("meshy-t") else {}
    ending = "fbx" if values.get("topology") == "quad" else "glb"
    return {**values, **kind, "target_formats": [ending]}


def test_the_client_orders_what_we_order(
    client: tuple[Path, Path], fake: Meshy, http: Http, tmp_path: Path
) -> None:
    orders = [*SINGLES, QUADS]
    calls = [("meshy_image_to_3d", {"file_path": cup(tmp_path), **theirs(item)}) for item in orders]
    told = run_client(client, fake, *calls)
    assert [item for item in told if item.get("isError")] == []
    assert [item["structuredContent"]["task_id"] for item in told] == list(fake.tasks)
    sent = [plain(task.body) for task in fake.creates]
    fake.tasks.clear()
    for values in orders:
        order(http, tmp_path, **values)
    assert [plain(task.body) for task in fake.creates] == sent


@pytest.mark.parametrize("views", [("front", "back"), ("front", "left", "back", "right")])
def test_the_client_sends_views_as_we_do(
    client: tuple[Path, Path], fake: Meshy, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    given = {"file_paths": [cup(tmp_path, view) for view in views], "ai_model": "meshy-7"}
    (told,) = run_client(
        client, fake, ("meshy_multi_image_to_3d", {**given, "target_formats": ["glb"]})
    )
    assert not told.get("isError"), told
    order(http, tmp_path, views, ai_model="meshy-7")
    their, our = fake.creates
    assert plain(our.body) == plain(their.body)
    assert (our.kind, their.kind) == (SEVERAL, SEVERAL)
    first, second = fake.calls(CREATE)
    assert first.path == second.path
    assert first.headers["authorization"] == second.headers["authorization"]


def test_the_client_sends_an_address_as_we_do(
    client: tuple[Path, Path], fake: Meshy, http: Http
) -> None:
    address = "https://example.com/cup.png"
    values = {"ai_model": "meshy-7"}
    run_client(client, fake, ("meshy_image_to_3d", {"image_url": address, **theirs(values)}))
    settings = PROVIDER.settings(**values)
    PROVIDER.submit(Request(settings, (Picture("front", "cup", url=address),)), Uploaded(), http)
    their, our = fake.creates
    assert plain(our.body) == plain(their.body)
    assert our.body["image_url"] == address


def test_the_client_waits_lists_downloads_and_asks_for_the_balance(
    client: tuple[Path, Path], fake: Meshy, tmp_path: Path
) -> None:
    fake.states = fake.states[-1:]
    kind = {"task_type": SINGLE}
    target = tmp_path / "mesh.glb"
    told = run_client(
        client,
        fake,
        ("meshy_image_to_3d", {"file_path": cup(tmp_path), "ai_model": "meshy-7"}),
        ("meshy_get_task_status", {"task_id": "FIRST", "wait": False, **kind}),
        ("meshy_list_tasks", {**kind, "limit": 50}),
        ("meshy_download_model", {"task_id": "FIRST", "save_to": str(target), **kind}),
        ("meshy_check_balance", {}),
    )
    assert [item for item in told if item.get("isError")] == []
    (task,) = fake.creates
    assert "SUCCEEDED" in told[1]["content"][0]["text"]
    assert task.id in told[2]["content"][0]["text"]
    assert target.read_bytes() == fake.mesh
    assert told[4]["structuredContent"] == {"balance": 970}
    assert fake.calls(LIST)[0].path.endswith("page_size=50&page_num=1&sort_by=-created_at")
    assert len(fake.calls(BALANCE)) == 1
    files = [seen for seen in fake.requests if seen.host == "files"]
    assert files, "nothing was downloaded"
    assert [seen for seen in files if "authorization" in seen.headers] == []


def test_the_client_deletes_a_finished_task_where_we_would_not(
    client: tuple[Path, Path], fake: Meshy, http: Http, tmp_path: Path
) -> None:
    fake.states = fake.states[-1:]
    ticket = order(http, tmp_path)
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.CHARGED
    assert len(fake.creates) == 1
    given = {"task_id": ticket.data["task"], "task_type": SINGLE}
    (told,) = run_client(client, fake, ("meshy_cancel_task", given))
    assert not told.get("isError"), told
    assert fake.creates == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ai_model": "meshy-5"}, "Invalid request"),
        ({"ai_model": "meshy-6", "ultra_mode": True}, "only supported for meshy-7"),
        ({"ai_model": "meshy-7", "model_type": "smart-topology"}, "requires ai_model"),
        ({"ai_model": "meshy-7", "should_texture": False, "enable_pbr": True}, "should_texture"),
    ],
)
def test_the_client_reads_the_refusals_of_the_fake(
    client: tuple[Path, Path], fake: Meshy, tmp_path: Path, values: Any, sentence: str
) -> None:
    (told,) = run_client(
        client, fake, ("meshy_image_to_3d", {"file_path": cup(tmp_path), **values})
    )
    assert told["isError"], told
    assert sentence in told["content"][0]["text"]
    assert fake.creates == []


def test_the_client_finds_no_task_after_three_days_either(
    client: tuple[Path, Path], fake: Meshy, http: Http, tmp_path: Path
) -> None:
    ticket = order(http, tmp_path)
    fake.now = LIFE + 60
    given = {"task_id": ticket.data["task"], "wait": False, "task_type": SINGLE}
    (told,) = run_client(client, fake, ("meshy_get_task_status", given))
    assert told["isError"], told
    assert "not found" in told["content"][0]["text"]
