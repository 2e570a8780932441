# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflows: the shipped ones, an artist's own, where an order's values go, and its settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.comfyui import Comfyui
from fakes.comfyui_nodes import CHECKPOINTS, NODES, check_graph

from image_to_mesh.providers import InvalidSettings, Request, Setting, Ticket, settings_of
from image_to_mesh.providers._comfyui.graph import VIEWS, parse_graph
from image_to_mesh.providers._comfyui.shipped import FOLDER, Workflow, shipped_workflows
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.server_settings import settings_with, usable_rows

from .conftest import PROVIDER, own_graph

Ask = Callable[..., Request[Any]]
Order = Callable[..., Ticket]
SHIPPED = [pytest.param(item, id=item.id) for item in shipped_workflows()]


def rows_of(request: Request[Any], http: Http) -> dict[str, Setting]:
    """Return the settings that the server has for a request, by name."""
    return {row.name: row for row in PROVIDER.read_server_settings(request, http)}


def with_values(request: Request[Any], http: Http, **values: Any) -> Request[Any]:
    """Return the request with values for settings of the server."""
    rows, unusable = usable_rows(PROVIDER.settings, PROVIDER.read_server_settings(request, http))
    assert not unusable
    model = settings_with(PROVIDER.settings, rows)
    declared = {row.name: getattr(request.settings, row.name)
                for row in settings_of(PROVIDER.settings)}  # fmt: skip
    return request._replace(settings=parse_settings(model, {**declared, **values}))


def send(request: Request[Any], server: Comfyui, http: Http) -> dict[str, Any]:
    """Order, and return the graph that was sent."""
    PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)
    graph: dict[str, Any] = server.orders[-1]["prompt"]
    return graph


# -- shipped -------------------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", SHIPPED)
def test_a_shipped_workflow_is_valid_and_complete(workflow: Workflow) -> None:
    error, errors, good = check_graph(workflow.graph, lambda name: True, newer=True)
    assert (error, errors, good) == (None, {}, ["8"])
    assert workflow.title
    assert not workflow.description.endswith(".")
    assert workflow.views[0] == "front"
    for row in workflow.settings:
        node = workflow.graph[row["node"]]
        inputs = NODES[node["class_type"]]["input"]["required"]
        assert row["input"] in node["inputs"]
        assert row["input"] in inputs
    assert workflow.graph["1"]["inputs"]["ckpt_name"] in CHECKPOINTS


def test_a_new_workflow_is_a_file_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from image_to_mesh.providers._comfyui import shipped

    data = json.loads((FOLDER / "hunyuan3d-2.1.json").read_text("utf-8"))
    (tmp_path / "another.json").write_text(json.dumps({**data, "title": "Another", "rank": 0}))
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    shipped.shipped_workflows.cache_clear()
    try:
        assert [item.title for item in shipped.shipped_workflows()] == ["Another"]
    finally:
        shipped.shipped_workflows.cache_clear()


def test_views_are_those_of_the_workflow() -> None:
    views = {item.id: PROVIDER.views_for(PROVIDER.settings(workflow=item.id))
             for item in shipped_workflows()}  # fmt: skip
    assert views["hunyuan3d-2.1"] == ("front",)
    assert views["hunyuan3d-2.0-multiview"] == VIEWS
    assert PROVIDER.views_for(PROVIDER.settings(workflow="file")) == VIEWS


@pytest.mark.parametrize("views", [VIEWS, ("front", "back"), ("front",)], ids="-".join)
def test_views_without_an_image_are_removed(
    views: tuple[str, ...], ask: Ask, server: Comfyui, http: Http
) -> None:
    graph = send(ask(*views, workflow="hunyuan3d-2.0-multiview"), server, http)
    assert set(graph["3"]["inputs"]) == set(views)
    loaded = {
        node["inputs"]["image"] for node in graph.values() if node["class_type"] == "LoadImage"
    }
    assert len(loaded) == len(views)
    encoders = [node for node in graph.values() if node["class_type"] == "CLIPVisionEncode"]
    assert len(encoders) == len(views)


def test_settings_have_the_bounds_and_files_of_the_server(ask: Ask, http: Http) -> None:
    rows = rows_of(ask(), http)
    steps, file, algorithm = rows["steps"], rows["ckpt_name"], rows["algorithm"]
    assert (steps.kind, steps.default, steps.minimum, steps.maximum) == ("int", 30, 1, 10_000)
    assert (steps.basic, steps.title, steps.from_server) == (True, "Steps", True)
    assert [choice.value for choice in file.choices] == CHECKPOINTS
    assert (file.default, file.description) == (CHECKPOINTS[2], "The file of the model")
    assert [choice.value for choice in algorithm.choices] == ["surface net", "basic"]
    assert (rows["octree_resolution"].group, rows["cfg"].kind) == ("mesh", "float")
    assert "seed" not in rows
    assert "filename_prefix" not in rows


def test_an_installed_file_in_another_folder_becomes_the_default(
    ask: Ask, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["3d/Hunyuan_3D_v2.1.safetensors", "sd15.safetensors"]
    required = NODES["ImageOnlyCheckpointLoader"]["input"]["required"]
    monkeypatch.setitem(required, "ckpt_name", [files, {}])
    assert rows_of(ask(), http)["ckpt_name"].default == files[0]
    monkeypatch.setitem(required, "ckpt_name", [files[1:], {}])
    with pytest.raises(
        InvalidSettings, match=r"Checkpoint cannot be “hunyuan_3d_v2.1.safetensors”"
    ):
        with_values(ask(), http)


def test_values_reach_the_nodes_with_their_type(ask: Ask, server: Comfyui, http: Http) -> None:
    request = with_values(ask(), http, steps=12, cfg=3, ckpt_name=CHECKPOINTS[0], seed=8)
    graph = send(request, server, http)
    inputs = graph["5"]["inputs"]
    assert (inputs["steps"], inputs["cfg"], inputs["seed"]) == (12, 3.0, 8)
    assert isinstance(inputs["cfg"], float)
    assert graph["1"]["inputs"]["ckpt_name"] == CHECKPOINTS[0]


# -- the artist's own ----------------------------------------------------------------------------


def test_an_own_workflow_is_filled_where_it_should_be(
    ask: Ask, server: Comfyui, http: Http
) -> None:
    graph = send(ask(file=own_graph(), seed=6), server, http)
    assert graph["1"]["inputs"]["image"].startswith("image_to_mesh/")
    assert graph["19:7"]["inputs"]["seed"] == 6
    assert graph["30"]["inputs"]["filename_prefix"].startswith("image_to_mesh/")
    assert graph["19:7"]["inputs"]["quality"] == "low"


def test_several_savers_write_different_files(ask: Ask, server: Comfyui, http: Http) -> None:
    graph = own_graph()
    graph["31"] = json.loads(json.dumps(graph["30"]))
    sent = send(ask(file=graph), server, http)
    prefixes = [sent[node]["inputs"]["filename_prefix"] for node in ("30", "31")]
    assert prefixes[1] == f"{prefixes[0]}-2"


def test_its_inputs_are_settings_by_node(ask: Ask, server: Comfyui, http: Http) -> None:
    request = ask(file=own_graph())
    rows = rows_of(request, http)
    assert set(rows) == {"19:7.quality", "19:7.smooth", "19:7.prompt"}
    assert [rows[f"19:7.{name}"].kind for name in ("quality", "smooth", "prompt")] == [
        "enum", "bool", "str",
    ]  # fmt: skip
    assert rows["19:7.quality"].description == "Cup Maker: quality"
    values = {"19:7.quality": "high", "19:7.smooth": False, "19:7.prompt": "two cups"}
    graph = send(with_values(request, http, **values), server, http)
    given = {name: graph["19:7"]["inputs"][name] for name in ("quality", "smooth", "prompt")}
    assert given == {"quality": "high", "smooth": False, "prompt": "two cups"}


@pytest.mark.parametrize("chosen", ["Cup Maker", " cup maker , Save", "MakeMesh", "19:7"])
def test_nodes_are_chosen_by_title_type_or_id(chosen: str, ask: Ask, http: Http) -> None:
    graph = own_graph()
    graph["40"] = {"class_type": "KSampler", "inputs": {"steps": 3, "seed": 1}}
    assert "40.steps" in rows_of(ask(file=graph), http)
    rows = rows_of(ask(file=graph, nodes=chosen), http)
    assert set(rows) == {"19:7.quality", "19:7.smooth", "19:7.prompt"}
    assert all(row.basic for row in rows.values())


def test_equal_titles_say_their_node(ask: Ask, http: Http) -> None:
    graph = own_graph()
    graph["20"] = json.loads(json.dumps(graph["19:7"]))
    graph["20"]["_meta"]["title"] = "Saucer Maker"
    rows = rows_of(ask(file=graph), http)
    assert rows["19:7.quality"].title == "Quality (Cup Maker)"
    assert rows["20.quality"].title == "Quality (Saucer Maker)"


def test_a_node_that_is_not_there_is_named(ask: Ask, http: Http) -> None:
    with pytest.raises(InvalidSettings, match="no node “Teapot”"):
        rows_of(ask(file=own_graph(), nodes="Teapot"), http)


def test_missing_nodes_are_named_before_an_order(ask: Ask, http: Http) -> None:
    graph = own_graph()
    graph["19:7"]["class_type"] = "Trellis2/Shape"
    with pytest.raises(InvalidSettings, match="does not have these nodes: Trellis2/Shape"):
        rows_of(ask(file=graph), http)


def test_the_key_of_the_settings_is_the_workflow() -> None:
    key = PROVIDER.server_settings_key
    first = PROVIDER.settings(workflow="file", workflow_file="a.json")
    assert key(PROVIDER.settings()) == "hunyuan3d-2.1"
    others = [{"workflow_file": "b.json"}, {"workflow_file": "a.json", "nodes": "x"}]
    keys = {key(PROVIDER.settings(workflow="file", **values)) for values in others}
    assert len(keys | {key(first)}) == 3
    assert key(PROVIDER.settings(nodes="x")) == key(PROVIDER.settings())


# -- images --------------------------------------------------------------------------------------


def test_an_untitled_image_of_several_is_asked_for(ask: Ask, http: Http) -> None:
    file = own_graph(titles=("Load Image", "Load Image"))
    with pytest.raises(InvalidSettings, match=r"2 Load Image nodes.*title front"):
        PROVIDER.submit(ask(file=file), PROVIDER.upload(ask().pictures, http), http)


@pytest.mark.parametrize("titles", [("Front", "Style"), ("The front view", "Style")])
def test_images_without_a_view_stay(
    titles: tuple[str, ...], ask: Ask, server: Comfyui, http: Http
) -> None:
    server.files["input", "", "a.png"] = b"style"
    graph = send(ask(file=own_graph(titles=titles)), server, http)
    assert graph["1"]["inputs"]["image"].startswith("image_to_mesh/")
    assert graph["2"]["inputs"]["image"] == "a.png"


def test_a_view_that_the_workflow_needs_is_asked_for(ask: Ask, http: Http) -> None:
    file = own_graph(titles=("front", "back"))
    request = ask(file=file)
    with pytest.raises(InvalidSettings, match="needs an image for the “back” view"):
        PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)


def test_a_view_that_the_workflow_lacks_is_refused(ask: Ask, http: Http) -> None:
    request = ask("front", "left", file=own_graph())
    with pytest.raises(InvalidSettings, match="takes no image for the “left” view"):
        PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)


def test_a_workflow_without_an_image_is_refused(ask: Ask, http: Http) -> None:
    graph = own_graph()
    del graph["1"]
    with pytest.raises(InvalidSettings, match="no Load Image node"):
        PROVIDER.submit(ask(file=graph), PROVIDER.upload(ask().pictures, http), http)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ({"nodes": [], "links": [], "version": 0.4}, "one for editing"),
        ({}, "not a ComfyUI workflow"),
        ([1], "not a ComfyUI workflow"),
        ({"1": {"class_type": "LoadImage"}}, "not a ComfyUI workflow"),
        ({"1": {"inputs": {}}}, "not a ComfyUI workflow"),
    ],
    ids=["text", "nested", "editing", "empty", "list", "no inputs", "no type"],
)
def test_any_other_file_is_refused_with_the_way_to_export(
    file: Any, words: str, ask: Ask, server: Comfyui, http: Http
) -> None:
    data = file if isinstance(file, bytes) else json.dumps(file).encode()
    for call in (
        lambda: rows_of(ask(file=data), http),
        lambda: PROVIDER.submit(ask(file=data), PROVIDER.upload(ask().pictures, http), http),
    ):
        with pytest.raises(InvalidSettings, match=words) as caught:
            call()
        assert "Export (API)" in caught.value.hint
    assert server.orders == []


def test_a_workflow_as_it_is_sent_is_taken_too() -> None:
    graph = own_graph()
    assert parse_graph(json.dumps({"prompt": graph, "client_id": "x"}).encode()) == graph


def test_an_own_workflow_needs_its_file() -> None:
    settings = PROVIDER.settings(workflow="file")
    assert [name for name, _ in settings.rules()] == ["workflow_file"]
    assert not list(PROVIDER.settings().rules())
    assert {name for name, _ in PROVIDER.settings().inactive_fields()} == {"workflow_file", "nodes"}
    assert not list(settings.inactive_fields())
