# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D's API server against its fakes: what is sent, and every trap of both versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import local_servers
from fakes.hunyuan3d import DROPPED, Hunyuan3d, serving
from fakes.local_servers import OtherServer, comfyui, gradio

from image_to_mesh.providers import (
    BadKey,
    BadReply,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Secret,
    Ticket,
    Uncertain,
    Unreachable,
    get_provider,
)
from image_to_mesh.providers._hunyuan3d import calls
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.servers import probe
from image_to_mesh.providers._shared.servers.probe import Answering, Kind

PROVIDER: Provider[Any] = get_provider("hunyuan3d")
TEXTURE = {"texture": True}


@contextmanager
def connection_to(url: str, header: str = "") -> Iterator[Http]:
    """Open a connection to a server, with the header that the user has entered, if any."""
    keys = {"hunyuan3d_header": Secret(header)} if header else {}
    headers = PROVIDER.headers(keys)
    with closing(Http(url, headers, self_hosted=True, pause=lambda _: None)) as http:
        yield http


@pytest.fixture
def cups(tmp_path: Path, png: bytes) -> Callable[..., tuple[Picture, ...]]:
    """Return a function that makes an image file for each view."""

    def make(*views: str) -> tuple[Picture, ...]:
        for view in views:
            (tmp_path / f"{view}.png").write_bytes(png)
        return tuple(Picture(view, "cup.png", tmp_path / f"{view}.png") for view in views)

    return make


@pytest.fixture
def order(cups: Callable[..., tuple[Picture, ...]]) -> Callable[..., Ticket]:
    """Return a function that orders a mesh, without the runner."""

    def make(http: Http, *views: str, **settings: Any) -> Ticket:
        request = Request(PROVIDER.settings(**settings), cups(*(views or ("front",))))
        return PROVIDER.submit(request, PROVIDER.upload(request.pictures, http), http)

    return make


ALL = {
    "octree_resolution": 300,
    "num_inference_steps": 12,
    "guidance_scale": 7.5,
    "num_chunks": 4000,
    "seed": 7,
}


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("settings", [{}, ALL, {"face_count": 5000, **TEXTURE}], ids=str)
def test_only_changed_settings_are_sent(
    order: Callable[..., Ticket], png: bytes, version: str, settings: dict[str, Any]
) -> None:
    with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
        order(http, **settings)
    assert server.orders == [settings]
    assert server.images == [{"image": png}]


@pytest.mark.parametrize(("version", "sent"), [("2.0", {}), ("2.1", {"remove_background": False})])
def test_a_kept_background_is_sent_to_the_server_that_has_the_field(
    order: Callable[..., Ticket], version: str, sent: dict[str, Any]
) -> None:
    with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
        order(http, remove_background=False)
    assert server.orders == [sent]


@pytest.mark.parametrize(
    ("version", "settings", "path"),
    [
        ("2.0", {}, "/generate"),
        ("2.0", TEXTURE, "/generate"),
        ("2.1", {}, "/generate"),
        ("2.1", TEXTURE, "/send"),
    ],
)
def test_the_call_is_the_one_whose_failures_are_reported(
    order: Callable[..., Ticket], version: str, settings: dict[str, Any], path: str
) -> None:
    with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
        ticket = order(http, **settings)
    assert [call for call in server.calls if call[0] == "POST"] == [("POST", path)]
    assert ("mesh.glb" in ticket.files) is (path == "/generate")


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_the_mesh_in_the_answer_becomes_the_result(
    order: Callable[..., Ticket], version: str
) -> None:
    with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
        ticket = order(http)
        result = PROVIDER.poll(ticket, http)
    assert ticket.files["mesh.glb"] == server.mesh
    assert isinstance(result, Result)
    assert [(file.file, file.format) for file in result.files] == [("mesh.glb", "glb")]
    assert (result.credits, result.notes) == (0.0, ())


@pytest.mark.parametrize("name", ["initial_model_base64", "model_base64_initial"])
def test_a_textured_mesh_is_polled_to_its_end(order: Callable[..., Ticket], name: str) -> None:
    server = Hunyuan3d(untextured=name, stages=["processing", "texturing", "half"])
    with serving(server), connection_to(server.url) as http:
        ticket = order(http, **TEXTURE)
        said = [PROVIDER.poll(ticket, http) for _ in range(4)]
        assert said[:3] == [
            Progress("Generating"),
            Progress("Generating textures"),
            Progress("Generating textures"),
        ]
        result = said[3]
        assert isinstance(result, Result)
        (file,) = result.files
        with http.open_download(file.url, {}, file.field) as stream:
            assert b"".join(stream.pieces) == server.painted
    assert result.notes == ()


@pytest.mark.parametrize("name", ["initial_model_base64", "model_base64_initial"])
def test_a_mesh_without_its_texture_is_better_than_none(
    order: Callable[..., Ticket], name: str
) -> None:
    server = Hunyuan3d(untextured=name, stages=["bare"])
    with serving(server), connection_to(server.url) as http:
        result = PROVIDER.poll(order(http, **TEXTURE), http)
        assert isinstance(result, Result)
        assert result.files[0].field == name
        with http.open_download(result.files[0].url, {}, name) as stream:
            assert b"".join(stream.pieces) == server.mesh
    assert result.notes == ("The server returned the mesh without a texture.",)


def test_a_mesh_from_generate_that_lacks_its_texture_is_noted(
    order: Callable[..., Ticket],
) -> None:
    with serving(Hunyuan3d("2.0")) as server, connection_to(server.url) as http:
        result = PROVIDER.poll(order(http, **TEXTURE), http)
    assert isinstance(result, Result)
    assert result.notes == ("The server returned the mesh without a texture.",)


def test_ignored_settings_are_noted(order: Callable[..., Ticket]) -> None:
    for version in ("2.0", "2.1"):
        with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
            result = PROVIDER.poll(order(http, seed=7, num_inference_steps=9), http)
        assert isinstance(result, Result)
        assert [note for note in result.notes if "Steps, Seed" in note] == list(result.notes)
        assert len(result.notes) == (1 if version == "2.1" else 0)


def test_side_views_are_sent_to_a_2_0_server(order: Callable[..., Ticket], png: bytes) -> None:
    with serving(Hunyuan3d("2.0")) as server, connection_to(server.url) as http:
        result = PROVIDER.poll(order(http, "front", "left", "back", "right"), http)
    names = ("image", "image_left", "image_back", "image_right")
    assert server.images == [dict.fromkeys(names, png)]
    assert isinstance(result, Result)
    assert "--mv" in result.notes[0]


@pytest.mark.parametrize(
    ("views", "settings", "words"),
    [
        (("front", "left"), {}, "single image"),
        (("front",), {"num_inference_steps": 21}, "at most 20 steps"),
    ],
)
def test_what_a_2_1_server_refuses_is_not_sent(
    order: Callable[..., Ticket], views: tuple[str, ...], settings: dict[str, Any], words: str
) -> None:
    with (
        serving(Hunyuan3d()) as server,
        connection_to(server.url) as http,
        pytest.raises(InvalidSettings, match=words),
    ):
        order(http, *views, **settings)
    assert not server.orders
    assert all(method == "GET" for method, _ in server.calls)


@pytest.mark.parametrize(
    ("server", "settings", "kind", "words"),
    [
        (Hunyuan3d("2.0", enable_tex=False), TEXTURE, Failed, "--enable_tex"),
        (Hunyuan3d("2.0", fails=True), {}, Failed, "Octree Resolution"),
        (Hunyuan3d("2.1", fails=True), {}, Failed, "Octree Resolution"),
        (
            Hunyuan3d("2.0", enable_tex=False, says="no attribute 'pipeline_tex'"),
            TEXTURE,
            InvalidSettings,
            "without textures",
        ),
        (Hunyuan3d("2.0", fails=True, says="CUDA out of memory."), {}, Failed, "out of memory"),
    ],
)
def test_404_is_explained(
    order: Callable[..., Ticket],
    server: Hunyuan3d,
    settings: dict[str, Any],
    kind: type[ImageToMeshError],
    words: str,
) -> None:
    with serving(server), connection_to(server.url) as http, pytest.raises(kind) as caught:
        order(http, **settings)
    assert words in str(caught.value)
    assert "TRAFFIC" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/generate", 401, BadKey),
        ("/generate", 404, Unreachable),
        ("/generate", 405, Unreachable),
        ("/generate", 422, InvalidSettings),
        ("/generate", 500, Uncertain),
        ("/generate", 502, Uncertain),
        ("/generate", DROPPED, Uncertain),
    ],
)
def test_a_refusal_becomes_its_error(
    order: Callable[..., Ticket], path: str, status: int, kind: type[ImageToMeshError]
) -> None:
    server = Hunyuan3d(faults={path: [status]})
    with serving(server), connection_to(server.url) as http, pytest.raises(kind):
        order(http)
    assert len([call for call in server.calls if call == ("POST", path)]) == 1


def test_an_answer_that_is_no_mesh_is_not_a_result(order: Callable[..., Ticket]) -> None:
    server = Hunyuan3d(mesh=b"# an OBJ file\nv 0 0 0\n")
    with serving(server), connection_to(server.url) as http, pytest.raises(BadReply, match="GLB"):
        order(http)


def test_an_error_while_texturing_ends_the_task(order: Callable[..., Ticket]) -> None:
    server = Hunyuan3d(stages=["error"])
    with serving(server), connection_to(server.url) as http:
        ticket = order(http, **TEXTURE)
        with pytest.raises(Failed, match="Failed to read generated file"):
            PROVIDER.poll(ticket, http)


def test_a_lost_task_stays_in_progress_and_a_lost_server_is_named(
    order: Callable[..., Ticket],
) -> None:
    with serving(Hunyuan3d()) as server, connection_to(server.url) as http:
        assert PROVIDER.poll(Ticket({"uid": "gone"}), http) == Progress("Generating")
    with (
        local_servers.serving(gradio()) as other,
        connection_to(other.url) as http,
        pytest.raises(Unreachable, match="Gradio app “Hunyuan3D”"),
    ):
        PROVIDER.poll(Ticket({"uid": "gone"}), http)
    assert server.calls


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (gradio(), ["The Gradio app “Hunyuan3D” answers at", "port 8081", "8080"]),
        (comfyui(), ["ComfyUI answers at", "api_server.py"]),
        (OtherServer(), ["An unknown server answers at", "8081"]),
    ],
)
def test_the_wrong_server_is_named_before_anything_is_sent(
    order: Callable[..., Ticket], other: OtherServer, words: list[str]
) -> None:
    with local_servers.serving(other), connection_to(other.url) as http:
        for call in (lambda: order(http), lambda: PROVIDER.balance(http)):
            with pytest.raises(Unreachable) as caught:
                call()
            assert all(word in str(caught.value) for word in (*words, other.url))
    assert {method for method, _ in other.requests} == {"GET"}


def test_a_missing_server_is_reported(order: Callable[..., Ticket]) -> None:
    with serving(Hunyuan3d()) as server:
        url = server.url
    with connection_to(url) as http, pytest.raises(Unreachable, match="No server answers at http"):
        PROVIDER.balance(http)


def test_a_busy_server_is_waited_for_but_not_by_test(
    order: Callable[..., Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Kind.SILENT, Kind.SILENT]
    waits: list[float] = []

    def what_is_there(http: Http) -> Answering:
        return Answering(answers.pop()) if answers else probe.identify_server(http)

    monkeypatch.setattr(calls, "identify_server", what_is_there)
    with (
        serving(Hunyuan3d()) as server,
        closing(Http(server.url, {}, self_hosted=True, pause=waits.append)) as http,
    ):
        order(http)
        assert waits == [calls.BUSY_PAUSE] * 2
        answers.append(Kind.SILENT)
        with pytest.raises(Unreachable, match="does not answer"):
            PROVIDER.balance(http)
    assert len(server.orders) == 1


def test_a_header_opens_a_locked_server(order: Callable[..., Ticket]) -> None:
    header = "Authorization: Basic dXNlcjpzZWNyZXQ="
    server = Hunyuan3d(header=header)
    with (
        serving(server),
        connection_to(server.url) as http,
        pytest.raises(BadKey, match="requires a password"),
    ):
        PROVIDER.balance(http)
    with serving(server), connection_to(server.url, header) as http:
        assert PROVIDER.balance(http) is None
        order(http)
    assert len(server.orders) == 1


def test_the_background_is_removed_for_the_server_that_never_does() -> None:
    for version, cut in (("2.0", False), ("2.1", True)):
        with serving(Hunyuan3d(version)) as server, connection_to(server.url) as http:
            assert PROVIDER.cuts_out(PROVIDER.settings(), http) is cut
            assert not PROVIDER.cuts_out(PROVIDER.settings(remove_background=False), http)


def test_the_license_is_stated() -> None:
    for text in (PROVIDER.notice, PROVIDER.license_note()):
        assert all(place in text for place in ("EU", "UK", "South Korea"))
    assert PROVIDER.max_concurrent(PROVIDER.settings()) == 1
    assert PROVIDER.cancel(Ticket({}), None) == "free"
