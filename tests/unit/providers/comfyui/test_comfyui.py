# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI against its fake: what is sent, where the mesh is, and every way an order ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes import local_servers
from fakes.comfyui import DROPPED, Comfyui, serving
from fakes.comfyui_nodes import NODES
from fakes.local_servers import OtherServer, gradio

from image_to_mesh.providers import (
    BadKey,
    BadReply,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    Progress,
    Request,
    Result,
    Ticket,
    Uncertain,
    Unreachable,
)
from image_to_mesh.providers._shared.http.client import Http

from .conftest import PROVIDER, connection_to, own_graph

Order = Callable[..., Ticket]
NOW = datetime.now(UTC)


def graph_sent(server: Comfyui) -> dict[str, Any]:
    """Return the graph of the only order."""
    (order,) = server.orders
    graph: dict[str, Any] = order["prompt"]
    return graph


def test_a_shipped_workflow_is_sent_with_image_seed_and_id(
    order: Order, server: Comfyui, png: bytes
) -> None:
    ticket = order(seed=77)
    graph = graph_sent(server)
    image = graph["10"]["inputs"]["image"]
    assert server.files["input", "image_to_mesh", image.rpartition("/")[2]] == png + b"\0"
    assert graph["5"]["inputs"] | {"seed": 77, "steps": 30, "cfg": 5.0} == graph["5"]["inputs"]
    id_ = ticket.data["task"]
    assert str(uuid.UUID(id_)) == id_
    assert graph["8"]["inputs"]["filename_prefix"] == f"image_to_mesh/{id_}"
    assert (server.orders[0]["prompt_id"], server.orders[0]["client_id"]) == (id_, id_)


def test_each_order_has_another_seed_unless_one_is_set(order: Order, server: Comfyui) -> None:
    tickets = [order(), order(), order(seed=3), order(seed=3)]
    seeds = [sent["prompt"]["5"]["inputs"]["seed"] for sent in server.orders]
    assert seeds[0] != seeds[1]
    assert seeds[2:] == [3, 3]
    assert [ticket.data["seed"] for ticket in tickets] == seeds
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_same_image_is_kept_once_on_the_server(order: Order, server: Comfyui) -> None:
    order()
    order()
    assert len([item for item in server.files if item[0] == "input"]) == 1


def test_the_mesh_is_found_and_downloaded(order: Order, server: Comfyui, http: Http) -> None:
    result = PROVIDER.poll(order(seed=9), http)
    assert isinstance(result, Result)
    (file,) = result.files
    with http.open_download(file.url, {}) as stream:
        data = b"".join(stream.pieces)
    assert data in server.files.values()
    assert data.startswith(b"glTF")
    assert (result.credits, result.facts, result.notes) == (0.0, {"seed": 9}, ())


def test_the_queue_is_followed(order: Order, server: Comfyui, http: Http) -> None:
    server.ahead = ["a", "b"]
    server.stages = ["pending", "running", "moving"]
    ticket = order()
    assert PROVIDER.poll(ticket, http) == Progress("Waiting in queue (2 ahead)")
    assert PROVIDER.poll(ticket, http) == Progress("Generating")
    assert isinstance(PROVIDER.poll(ticket, http), Result)


@pytest.mark.parametrize(
    ("ends", "kind", "words"),
    [
        ("error", Failed, ["“Sampler” failed", "mat1 and mat2", "window"]),
        ("memory", Failed, ["“Sampler” failed", "Allocation on device", "Octree Resolution"]),
        ("interrupted", Failed, ["stopped in ComfyUI"]),
        ("vanished", Expired, ["no longer knows", "costs nothing"]),
    ],
)
def test_an_end_without_a_mesh_says_why(
    order: Order,
    server: Comfyui,
    http: Http,
    ends: str,
    kind: type[ImageToMeshError],
    words: list[str],
) -> None:
    server.ends = ends
    ticket = order()
    with pytest.raises(kind) as caught:
        PROVIDER.poll(ticket, http)
    assert all(word in str(caught.value) for word in words), caught.value


def test_an_old_entry_without_a_status_is_a_success(
    order: Order, server: Comfyui, http: Http
) -> None:
    server.ends = "null"
    assert isinstance(PROVIDER.poll(order(), http), Result)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, BadKey), (404, BadReply), (500, Unreachable), (502, Unreachable)]
)
def test_a_poll_without_an_answer_ends_no_task(
    order: Order, server: Comfyui, http: Http, status: int, kind: type[ImageToMeshError]
) -> None:
    server.stages = ["pending"] * 3
    ticket = order()
    server.faults["/queue"] = [status] * 20  # some are asked again
    with pytest.raises(kind):
        PROVIDER.poll(ticket, http)
    server.faults.clear()
    assert isinstance(PROVIDER.poll(ticket, http), Progress)


def test_a_restart_loses_the_order_but_not_its_file(
    order: Order, server: Comfyui, http: Http
) -> None:
    ticket = order()
    before = PROVIDER.poll(ticket, http)
    server.restart()
    assert PROVIDER.poll(ticket, http) == before
    server.files.clear()
    with pytest.raises(Expired):
        PROVIDER.poll(ticket, http)


def test_an_order_is_not_lost_because_another_server_is_asked(order: Order, http: Http) -> None:
    ticket = order()
    with serving(Comfyui()) as other, connection_to(other.url) as line:
        with pytest.raises(InvalidSettings, match="The job was sent to") as caught:
            PROVIDER.poll(ticket, line)
        assert http.address in caught.value.message
        found = PROVIDER.attach(str(ticket.data["task"]), PROVIDER.settings())
        with pytest.raises(Expired):
            PROVIDER.poll(found, line)
    moved = Ticket({**ticket.data, "server": "http://192.168.1.5:8188"})
    assert isinstance(PROVIDER.poll(moved, http), Result)


def test_a_large_file_after_a_restart_is_not_read_whole(
    order: Order, server: Comfyui, http: Http
) -> None:
    server.mesh += bytes(3_000_000)
    ticket = order()
    before = PROVIDER.poll(ticket, http)
    server.restart()
    assert PROVIDER.poll(ticket, http) == before


def test_the_file_of_a_saver_that_does_not_say_it_is_found(
    order: Order, server: Comfyui, http: Http
) -> None:
    ticket = order(file=own_graph("ExportMesh"))
    result = PROVIDER.poll(ticket, http)
    assert isinstance(result, Result)
    assert f"filename={ticket.data['task']}_00001_.glb" in result.files[0].url


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("mesh/cup.glb", "filename=cup.glb&subfolder=mesh&type=output"),
        ("/home/me/ComfyUI/output/mesh/cup.glb", "filename=cup.glb&subfolder=mesh&type=output"),
        (r"C:\ComfyUI\output\cup.glb", "filename=cup.glb&subfolder=&type=output"),
        ("/tmp/cup.glb", None),
    ],
)
def test_paths_that_savers_return_as_text(
    order: Order, server: Comfyui, http: Http, said: str, path: str | None
) -> None:
    ticket = order(file=own_graph("ShowMesh"))
    server.restart()
    server.history[ticket.data["task"]] = {"outputs": {"30": {"result": [said]}}, "status": None}
    if path is None:
        with pytest.raises(Failed, match="Save GLB"):
            PROVIDER.poll(ticket, http)
        return
    result = PROVIDER.poll(ticket, http)
    assert isinstance(result, Result)
    assert result.files[0].url == f"/view?{path}"


def test_no_file_at_all_is_explained(order: Order, http: Http) -> None:
    graph = own_graph()
    graph["30"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    with pytest.raises(Failed, match=r"without a mesh file.*Save GLB"):
        PROVIDER.poll(order(file=graph), http)


def test_a_cached_answer_whose_file_is_gone_is_explained(
    order: Order, server: Comfyui, http: Http
) -> None:
    server.cached = True
    ticket = order(file=own_graph("ShowMesh"))
    with pytest.raises(Failed, match=r"earlier result.*Change Seed"):
        PROVIDER.poll(ticket, http)
    server.files["output", "", "old.glb"] = server.mesh
    assert isinstance(PROVIDER.poll(ticket, http), Result)


# -- what ComfyUI refuses ------------------------------------------------------------------------


@pytest.mark.parametrize("newer", [False, True])
def test_a_missing_node_is_named(order: Order, server: Comfyui, newer: bool) -> None:
    server.newer = newer
    graph = own_graph()
    graph["19:7"]["class_type"] = "Trellis2Shape"
    with pytest.raises(InvalidSettings, match=r"does not have a node.*Manager"):
        order(file=graph)
    assert server.orders == []


def test_a_missing_model_of_a_shipped_workflow_has_a_link(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = NODES["ImageOnlyCheckpointLoader"]["input"]["required"]
    monkeypatch.setitem(required, "ckpt_name", [[], {}])
    with pytest.raises(InvalidSettings, match=r"“hunyuan_3d_v2.1.safetensors” is not") as caught:
        order()
    assert caught.value.link.endswith("/hunyuan3D_2.1_repackaged")


def test_a_missing_model_file_is_named(order: Order, server: Comfyui) -> None:
    graph = own_graph(quality="ultra.safetensors")
    with pytest.raises(
        InvalidSettings, match=r"“ultra.* is not among the choices of “Cup Maker”.*Get Settings"
    ):
        order(file=graph)
    assert server.orders == []


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"detail": 2.0}, "“Cup Maker” was refused: detail"),
        ({"image": ["30", 0]}, "“Cup Maker” was refused: image"),
        ({"seed": "x"}, "“Cup Maker” was refused: seed"),
    ],
)
def test_a_refused_node_is_named(order: Order, inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        order(file=own_graph(**inputs))


def test_a_node_without_an_input_is_named(order: Order) -> None:
    graph = own_graph()
    del graph["19:7"]["inputs"]["quality"]
    with pytest.raises(InvalidSettings, match="“Cup Maker” lacks an input: quality"):
        order(file=graph)


def test_a_workflow_without_a_result_is_explained(order: Order) -> None:
    graph = own_graph()
    del graph["30"]
    with pytest.raises(InvalidSettings, match=r"no node that saves a result.*Save GLB"):
        order(file=graph)


def test_a_part_that_was_dropped_is_noted_or_explains_the_end(
    order: Order, server: Comfyui, http: Http
) -> None:
    graph = own_graph()
    graph["31"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 1]}}
    result = PROVIDER.poll(order(file=graph), http)
    assert isinstance(result, Result)
    assert "left out a part of the workflow: The node “PreviewImage”" in result.notes[0]
    graph["31"]["inputs"]["images"] = ["1", 0]
    graph["19:7"]["inputs"]["quality"] = "none.ckpt"
    ticket = order(file=graph)
    with pytest.raises(Failed, match=r"“none.ckpt” is not among"):
        PROVIDER.poll(ticket, http)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/prompt", 401, BadKey),
        ("/prompt", 403, BadKey),
        ("/prompt", 404, Unreachable),
        ("/prompt", 405, Unreachable),
        ("/prompt", 413, InvalidSettings),
        ("/prompt", 500, Uncertain),
        ("/prompt", 502, Uncertain),
        ("/prompt", DROPPED, Uncertain),
        ("/upload/image", 413, ImageToMeshError),
        ("/upload/image", 401, BadKey),
        ("/upload/image", 500, Failed),
    ],
)
def test_a_refusal_becomes_its_error(
    order: Order, server: Comfyui, path: str, status: int, kind: type[ImageToMeshError]
) -> None:
    server.faults[path] = [status]
    with pytest.raises(kind):
        order()
    assert server.count("POST", path) == 1


# -- a lost answer, canceling, memory ------------------------------------------------------------


def test_a_lost_order_is_found_by_its_own_id(
    server: Comfyui, http: Http, ask: Callable[..., Request[Any]]
) -> None:
    request = ask(seed=4)
    uploaded = PROVIDER.upload(request.pictures, http)
    assert PROVIDER.find_order(request, uploaded, NOW, http) == ()
    server.stages = ["pending"] * 2
    ticket = PROVIDER.submit(request, uploaded, http)
    assert PROVIDER.find_order(request, uploaded, NOW, http) == (ticket,)
    assert isinstance(PROVIDER.poll(ticket, http), Progress | Result)
    other = PROVIDER.upload(request.pictures, http)
    assert PROVIDER.find_order(request, other, NOW, http) == ()


def test_an_order_that_waits_is_deleted_and_nobody_interrupted(
    order: Order, server: Comfyui, http: Http
) -> None:
    server.stages = ["pending"] * 9
    ticket = order()
    assert PROVIDER.cancel(ticket, http) == "free"
    assert (server.queued, server.interrupted) == ({}, [])


def test_an_order_that_runs_is_interrupted(order: Order, server: Comfyui, http: Http) -> None:
    server.stages = ["running"] * 9
    ticket = order()
    PROVIDER.cancel(ticket, http)
    assert server.interrupted == [ticket.data["task"]]
    with pytest.raises(Failed, match="stopped"):
        PROVIDER.poll(ticket, http)


def test_somebody_elses_order_is_not_interrupted(order: Order, server: Comfyui, http: Http) -> None:
    ticket = order()
    PROVIDER.poll(ticket, http)
    server.ahead = ["stranger"]
    PROVIDER.cancel(ticket, http)
    assert server.interrupted == []


def test_memory_is_given_back_on_request_unless_others_wait(
    order: Order, server: Comfyui, http: Http
) -> None:
    PROVIDER.poll(order(), http)
    assert server.freed == 0
    PROVIDER.poll(order(free_memory=True), http)
    assert server.freed == 1
    server.ahead = ["stranger"]
    PROVIDER.poll(order(free_memory=True), http)
    assert server.freed == 1
    server.ahead, server.faults["/free"] = [], [500]
    assert isinstance(PROVIDER.poll(order(free_memory=True), http), Result)


def test_an_order_can_be_attached_by_its_id(order: Order, server: Comfyui, http: Http) -> None:
    task = order().data["task"]
    ticket = PROVIDER.attach(f" {task} ", PROVIDER.settings())
    assert isinstance(PROVIDER.poll(ticket, http), Result)
    with pytest.raises(Expired):
        PROVIDER.poll(PROVIDER.attach("gone", PROVIDER.settings()), http)
    with pytest.raises(InvalidSettings):
        PROVIDER.attach("a/b", PROVIDER.settings())


# -- other servers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (gradio(), ["The Gradio app “Hunyuan3D” answers at", "port 8188"]),
        (OtherServer(), ["An unknown server answers at", "8188"]),
    ],
)
def test_the_wrong_server_is_named_before_anything_is_sent(
    ask: Callable[..., Request[Any]], other: OtherServer, words: list[str]
) -> None:
    pictures = ask().pictures
    with local_servers.serving(other), connection_to(other.url) as http:
        for call in (lambda: PROVIDER.upload(pictures, http), lambda: PROVIDER.balance(http)):
            with pytest.raises(Unreachable) as caught:
                call()
            assert all(word in str(caught.value) for word in (*words, other.url))
    assert {method for method, _ in other.requests} == {"GET"}


def test_a_header_opens_a_locked_server_and_its_files(ask: Callable[..., Request[Any]]) -> None:
    header = "Authorization: Basic dXNlcjpzZWNyZXQ="
    request = ask()
    with serving(Comfyui(header=header)) as server:
        with connection_to(server.url) as http, pytest.raises(BadKey, match="requires a password"):
            PROVIDER.balance(http)
        with connection_to(server.url, header) as http:
            assert PROVIDER.balance(http) is None
            ticket = PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)
            result = PROVIDER.poll(ticket, http)
            assert isinstance(result, Result)
            with http.open_download(result.files[0].url, {}) as stream:
                assert stream.status == 200


def test_the_license_and_the_limits_are_stated() -> None:
    for text in (PROVIDER.notice, PROVIDER.license_note()):
        assert all(place in text for place in ("EU", "UK", "South Korea"))
    assert PROVIDER.max_concurrent(PROVIDER.settings()) == 2
    assert PROVIDER.cuts_out(PROVIDER.settings(), None)
    assert PROVIDER.projects_image(PROVIDER.settings())
