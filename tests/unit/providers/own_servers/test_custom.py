# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that the user describes: what is sent, and what each kind of answer becomes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import local_servers
from fakes.custom import DROPPED, HALF, Custom, serving
from fakes.local_servers import OtherServer

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
from image_to_mesh.providers._shared.http.client import Http

PROVIDER: Provider[Any] = get_provider("custom")
HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
POLLED = {"status_path": "/jobs/{id}"}
OBJ = b"# a triangle\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


@contextmanager
def connection_to(url: str, header: str = "") -> Iterator[Http]:
    """Open a connection to a server, with the header that the user has entered, if any."""
    keys = {"custom_header": Secret(header)} if header else {}
    http = Http(
        url,
        PROVIDER.headers(keys),
        self_hosted=True,
        may_be_public=True,
        pause=lambda _: None,
    )
    with closing(http):
        yield http


@pytest.fixture
def order(tmp_path: Path, png: bytes) -> Callable[..., Ticket]:
    """Return a function that orders a mesh, without the runner."""
    (tmp_path / "cup.png").write_bytes(png)

    def make(http: Http, **settings: Any) -> Ticket:
        pictures = (Picture("front", "cup.png", tmp_path / "cup.png"),)
        request = Request(PROVIDER.settings(**settings), pictures)
        return PROVIDER.submit(request, PROVIDER.upload(pictures, http), http)

    return make


def download(http: Http, result: object) -> bytes:
    """Return the bytes of a result's mesh, downloaded."""
    assert isinstance(result, Result)
    file = result.files[0]
    with http.open_download(file.url, {}, file.field) as stream:
        assert stream.status == 200
        return b"".join(stream.pieces)


# -- what is sent --------------------------------------------------------------------------------


@pytest.mark.parametrize("takes", ["form", "json", "body"])
@pytest.mark.parametrize(
    ("extra", "sent"),
    [("", {}), ('{"seed": 42, "texture": true}', {"seed": 42, "texture": True})],
)
def test_the_image_and_the_fields_are_sent(
    order: Callable[..., Ticket], png: bytes, takes: str, extra: str, sent: dict[str, Any]
) -> None:
    with serving(Custom(takes)) as server, connection_to(server.url) as http:
        order(http, send_as=takes, extra_fields=extra)
    assert server.images == [png]
    assert server.fields == [sent]


@pytest.mark.parametrize("takes", ["form", "json"])
def test_path_and_field_are_the_users(order: Callable[..., Ticket], png: bytes, takes: str) -> None:
    server = Custom(takes, path="/api/v2/make", image_field="photo")
    with serving(server), connection_to(server.url) as http:
        order(http, send_as=takes, path="/api/v2/make", image_field="photo")
    assert server.images == [png]


def test_a_data_url_is_sent_if_wanted(order: Callable[..., Ticket], png: bytes) -> None:
    with serving(Custom("json", data_url=True)) as server, connection_to(server.url) as http:
        order(http, send_as="json", data_url=True)
        with pytest.raises(InvalidSettings, match="not a data URL"):
            order(http, send_as="json")
    assert server.images == [png]


def test_extra_headers_are_sent_and_the_secret_one_with_them(order: Callable[..., Ticket]) -> None:
    server = Custom(header=HEADER, answer="task", last=None)
    with serving(server), connection_to(server.url, HEADER) as http:
        ticket = order(http, extra_headers='{"X-Style": "clay"}', **POLLED)
        PROVIDER.poll(ticket, http)
    assert [headers["x-style"] for headers in server.headers] == ["clay", "clay"]
    assert "secret" not in json.dumps(dict(ticket.data))
    assert "dXNlcj" not in json.dumps(dict(ticket.data))


# -- answers with the mesh -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mesh", "format_"),
    [
        (None, "glb"),
        (OBJ, "obj"),
        (b"ply\nformat ascii 1.0\nend_header\n", "ply"),
        (b"Kaydara FBX Binary  \x00\x1a\x00", "fbx"),
        (b"PK\x03\x04rest", "zip"),
        (b"\0" * 80 + b"\1\0\0\0" + b"\0" * 50, "stl"),
    ],
)
@pytest.mark.parametrize("kind", ["model/gltf-binary", "application/octet-stream", "text/html"])
def test_a_mesh_as_the_answer_is_recognized_by_its_bytes(
    order: Callable[..., Ticket], mesh: bytes | None, format_: str, kind: str
) -> None:
    server = Custom(kind=kind)
    server.mesh = mesh or server.mesh
    with serving(server), connection_to(server.url) as http:
        ticket = order(http)
        result = PROVIDER.poll(ticket, http)
    assert isinstance(result, Result)
    assert (result.files[0].file, result.files[0].format) == (f"mesh.{format_}", format_)
    assert bytes(ticket.files[f"mesh.{format_}"]) == server.mesh


def _in_lines(text: str) -> str:
    return "\n".join(text[at : at + 76] for at in range(0, len(text), 76))


GLB = Custom().mesh
TEXT = base64.b64encode(GLB).decode()


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"result": {"mesh": TEXT}}, ""),
        ({"result": {"mesh": _in_lines(TEXT)}}, ""),
        ({"preview": base64.b64encode(b"\x89PNG" + bytes(90)).decode(), "x": [TEXT]}, ""),
        ({"a": {"b": [TEXT]}}, "a.b.0"),
        ({"glb": f"data:model/gltf-binary;base64,{TEXT}"}, ""),
        (TEXT, ""),
    ],
)
def test_a_mesh_in_json_is_decoded(order: Callable[..., Ticket], answer: Any, field: str) -> None:
    server = Custom(answer=[answer] if isinstance(answer, str) else answer)
    with serving(server), connection_to(server.url) as http:
        ticket = order(http, mesh_field=field)
    assert bytes(ticket.files["mesh.glb"]) == GLB


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"mesh": "/files/cup.glb"}, ""),
        ({"output": [{"url": "files/cup.glb"}]}, "output.0.url"),
        ({"done": True, "model": {"url": "{url}/files/cup.glb"}}, ""),
        ({"download": "http://0.0.0.0:{port}/files/cup.glb"}, ""),
    ],
)
def test_a_mesh_that_json_names_is_downloaded(
    order: Callable[..., Ticket], answer: Any, field: str
) -> None:
    server = Custom(header=HEADER)
    with serving(server), connection_to(server.url, HEADER) as http:
        text = json.dumps(answer).replace("{url}", server.url)
        server.answer = json.loads(text.replace("{port}", server.url.rpartition(":")[2]))
        result = PROVIDER.poll(order(http, mesh_field=field), http)
        assert download(http, result) == server.mesh


def test_the_secret_goes_to_no_other_server(order: Callable[..., Ticket]) -> None:
    other = OtherServer({"/cup.glb": "mesh"})
    server = Custom(header=HEADER)
    with (
        local_servers.serving(other),
        serving(server),
        connection_to(server.url, HEADER) as http,
    ):
        server.answer = {"mesh": f"{other.url}/cup.glb"}
        assert download(http, PROVIDER.poll(order(http), http)) == b"mesh"
    assert all("authorization" not in headers for headers in other.headers)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": "ok", "took": 3}, "no mesh, but these fields: status, took"),
        ({"mesh": "C:\\out\\cup.glb"}, "on its own disk"),
        ({"mesh": "ftp://127.0.0.1/cup.glb"}, "no mesh"),
        (b"<!doctype html><title>Sign in</title>", "a web page instead of a mesh"),
        (b"hello", "neither a mesh nor JSON, but: hello"),
        (b"", "answer is empty"),
        (GLB[:-8], "truncated"),
    ],
)
def test_an_answer_without_a_mesh_is_explained(
    order: Callable[..., Ticket], answer: Any, words: str
) -> None:
    with (
        serving(Custom(answer=answer)) as server,
        connection_to(server.url) as http,
        pytest.raises(BadReply) as caught,
    ):
        order(http)
    assert words in str(caught.value)
    assert server.orders == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (400, InvalidSettings),
        (401, BadKey),
        (404, InvalidSettings),
        (405, InvalidSettings),
        (422, InvalidSettings),
        (500, Failed),
        (502, Uncertain),
        (DROPPED, Uncertain),
        (HALF, Uncertain),
    ],
)
def test_a_refusal_becomes_its_error(
    order: Callable[..., Ticket], fault: int, kind: type[ImageToMeshError]
) -> None:
    server = Custom(faults={"/generate": [fault]})
    with serving(server), connection_to(server.url) as http, pytest.raises(kind):
        order(http)
    assert server.orders == 1


def test_a_redirect_elsewhere_is_not_followed(order: Callable[..., Ticket]) -> None:
    other = OtherServer()
    server = Custom(header=HEADER)
    with local_servers.serving(other), serving(server):
        server.location = f"{other.url}/generate"
        with connection_to(server.url, HEADER) as http, pytest.raises(BadReply, match="redirect"):
            order(http)
    assert not other.requests


# -- tasks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "settings"),
    [
        ("task", POLLED),
        ({"data": {"task": {"nr": 7}, "uid": "7f3a"}}, POLLED),
        ({"data": {"key": "7f3a", "id": 5}}, {**POLLED, "id_field": "data.key"}),
        ("raw", POLLED),
        ({"status_url": "/jobs/7f3a"}, {"status_path": "{id}"}),
        (
            {"id": 5, "urls": {"get": "{url}/jobs/7f3a"}},
            {"status_path": "{id}", "id_field": "urls.get"},
        ),
        ({"id": "jobs"}, {"status_path": "/{id}/7f3a"}),
    ],
)  # fmt: skip
def test_the_task_is_found_and_asked_for(
    order: Callable[..., Ticket], answer: Any, settings: dict[str, str]
) -> None:
    server = Custom(answer="7f3a" if answer == "raw" else answer)
    with serving(server), connection_to(server.url) as http:
        if isinstance(answer, dict):
            server.answer = json.loads(json.dumps(answer).replace("{url}", server.url))
        result = PROVIDER.poll(order(http, **settings), http)
        assert download(http, result) == server.mesh
    assert ("GET", "/jobs/7f3a") in server.calls


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        ({"status": "queued"}, Progress("Waiting in queue")),
        ({"status": "processing", "progress": 40}, Progress("Generating", 0.4)),
        ({"data": {"state": "RUNNING", "progress": 0.5}}, Progress("Generating", 0.5)),
        ({"status": "processing", "model_url": "/files/cup.glb"}, Progress("Generating")),
        ({"done": False}, Progress("Generating")),
        ({"percent": 250}, Progress("Generating")),
        ({"progress": 10**400}, Progress("Generating")),
        (202, Progress("Generating")),
        (425, Progress("Generating")),
    ],
)
def test_a_task_that_runs_shows_how_far_it_is(
    order: Callable[..., Ticket], state: Any, seen: Progress
) -> None:
    server = Custom(answer="task", states=[state])
    with serving(server), connection_to(server.url) as http:
        assert PROVIDER.poll(order(http, **POLLED), http) == seen


@pytest.mark.parametrize(
    ("state", "settings"),
    [
        (None, {}),
        ({"status": "completed", "mesh": "/files/cup.glb"}, {}),
        ({"status": "SUCCESS", "result": {"model_base64": "{mesh}"}}, {}),
        ({"done": True, "x": "data:model/gltf-binary;base64,{mesh}"}, {"mesh_field": "x"}),
        ({"output": {"glb": "/files/cup.glb"}}, {}),
        ({"status": "done"}, {"mesh_path": "/jobs/{id}/mesh"}),
    ],
)
@pytest.mark.parametrize("size", [0, 90_000])
def test_the_mesh_of_a_finished_task_is_found(
    order: Callable[..., Ticket], state: Any, settings: dict[str, str], size: int
) -> None:
    server = Custom(answer="task", last=state, header=HEADER)
    server.mesh += bytes(size)  # longer than what is kept of a text in JSON
    with serving(server), connection_to(server.url, HEADER) as http:
        result = PROVIDER.poll(order(http, **POLLED, **settings), http)
        assert download(http, result) == server.mesh


def test_only_the_beginning_of_a_finished_mesh_is_read_twice(
    order: Callable[..., Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_to_mesh.providers._shared.http.client.MAX_LONG_REPLY", 2_000_000)
    server = Custom(answer="task", mesh=OBJ + b"#\n" * 10_000_000)
    with serving(server), connection_to(server.url) as http:
        result = PROVIDER.poll(order(http, **POLLED), http)
    assert isinstance(result, Result)
    assert result.files[0].url == f"{server.url}/jobs/7f3a"
    assert result.files[0].format == "obj"


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [
        ({"status": "failed", "error": "Out of memory."}, Failed, "Out of memory"),
        ({"status": "cancelled"}, Failed, "cancelled"),
        ({"error": {"message": "No subject"}}, Failed, "No subject"),
        ({"status": "completed"}, BadReply, "no mesh, but these fields: status"),
        (404, BadReply, "Status Path"),
        (503, Unreachable, "503"),
    ],
)
def test_a_task_that_ended_badly_is_explained(
    order: Callable[..., Ticket], state: Any, kind: type[ImageToMeshError], words: str
) -> None:
    server = Custom(answer="task", last=state)
    with serving(server), connection_to(server.url) as http:
        ticket = order(http, **POLLED)
        with pytest.raises(kind) as caught:
            PROVIDER.poll(ticket, http)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"ok": True}, "no task ID, but these fields: ok"),
        ({"id": ".."}, "invalid ID"),
        ({"id": "a" * 600}, "invalid ID"),
    ],
)
def test_a_missing_id_is_explained(order: Callable[..., Ticket], answer: Any, words: str) -> None:
    with (
        serving(Custom(answer=answer)) as server,
        connection_to(server.url) as http,
        pytest.raises(BadReply, match=words),
    ):
        order(http, **POLLED)


@pytest.mark.parametrize("url", ["http://192.168.1.9/jobs/1", "//192.168.1.9/jobs/1", "jobs/1"])
def test_a_task_at_another_server_is_not_asked_for(order: Callable[..., Ticket], url: str) -> None:
    with (
        serving(Custom(answer={"url": url})) as server,
        connection_to(server.url, HEADER) as http,
        pytest.raises(BadReply, match="another server"),
    ):
        order(http, status_path="{id}")


@pytest.mark.parametrize(
    "path", ["/../admin", "/jobs/%2e%2E/../1", "/..", "{url}/../admin", "{url}/a/..%2fadmin?x=1"]
)
def test_a_task_outside_the_address_is_not_asked_for(
    order: Callable[..., Ticket], path: str
) -> None:
    server = Custom(path="/mine/generate")
    with serving(server), connection_to(f"{server.url}/mine", HEADER) as http:
        path = path.format(url=http.address)
        server.answer = {"url": path}
        with pytest.raises(BadReply, match="another server"):
            order(http, status_path="{id}")
        with pytest.raises(BadReply, match="another server"):
            PROVIDER.poll(Ticket({"status": path, "headers": {}}), http)
    assert len(server.calls) == 1


def test_a_task_can_be_attached(order: Callable[..., Ticket]) -> None:
    settings = PROVIDER.settings(**POLLED)
    with serving(Custom()) as server, connection_to(server.url) as http:
        result = PROVIDER.poll(PROVIDER.attach(" 7f3a ", settings), http)
        assert download(http, result) == server.mesh
    with pytest.raises(InvalidSettings, match="cannot be attached"):
        PROVIDER.attach("7f3a", PROVIDER.settings())


def test_a_record_of_others_adds_no_header(order: Callable[..., Ticket]) -> None:
    stranger = Ticket({"status": "/jobs/7f3a", "headers": {"X-Forwarded-Host": "a.example"}})
    with (
        serving(Custom()) as server,
        connection_to(server.url, HEADER) as http,
        pytest.raises(BadReply, match="extra headers"),
    ):
        PROVIDER.poll(stranger, http)
    assert not server.calls


def test_nothing_is_said_of_costs() -> None:
    assert PROVIDER.cancel(Ticket({}), None) == "unknown"
    assert PROVIDER.max_concurrent(PROVIDER.settings()) == 1
    assert "license of the model" in PROVIDER.license_note()
    assert PROVIDER.cuts_out(PROVIDER.settings(remove_background=True), None)
    assert not PROVIDER.cuts_out(PROVIDER.settings(), None)
