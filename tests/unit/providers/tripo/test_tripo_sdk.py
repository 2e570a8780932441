# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's own client, tripo3d 1.0.0 and 0.4.2, against the fakes, and its requests beside ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import sdk
from fakes.png import png_of
from fakes.tripo import TripoV3
from fakes.tripo_calls import UNTEXTURED, V2, V3, Version, connection, order, order_of
from fakes.tripo_server import KEY, Fault, form_file, serving
from fakes.tripo_v2 import TripoV2

from image_to_mesh.providers import Picture
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.http.downloads import DownloadRequest, download

NEWER = "v3.1-20260211"
MANY: dict[str, Any] = {
    "face_limit": 9000,
    "model_seed": 0,
    "texture_seed": 7,
    "texture_quality": "detailed",
    "geometry_quality": "detailed",
    "texture_alignment": "geometry",
    "auto_size": True,
    "orientation": "align_image",
    "quad": True,
    "compress": "geometry",
    "export_uv": False,
}
LOW_POLY: dict[str, Any] = {"smart_low_poly": True, "face_limit": 1000}
SPLIT: dict[str, Any] = {**UNTEXTURED, "generate_parts": True}
AUTOFIX: dict[str, Any] = {"enable_image_autofix": True}
# What 1.0.0 passes on, as its docstrings say, without naming it in its signature.
PASSED_ON: dict[str, Any] = {
    "texture_version": "v3.5-20260815",
    "delight": False,
    "export_orientation": "-y",
}
P1: dict[str, Any] = {"face_limit": 20_000, "texture_quality": "extreme"}

SCRIPT = """
import asyncio, json, os, tempfile
from tripo3d import TripoClient

async def main():
    orders = json.loads(os.environ["ORDERS"])
    told = {"tasks": []}
    if os.environ["VERSION"] == "v2":
        TripoClient.BASE_URL = os.environ["ADDRESS"]
        client = TripoClient()
    else:
        client = TripoClient(v3_base_url=os.environ["ADDRESS"])
    async with client:
        balance = await client.get_balance()
        told["balance"] = [balance.balance, balance.frozen]
        for one in orders:
            make = client.multiview_to_model if "images" in one else client.image_to_model
            told["tasks"].append(await make(**one))
        task = await client.wait_for_task(told["tasks"][0], polling_interval=0.1, timeout=20)
        told["status"] = task.status.value
        with tempfile.TemporaryDirectory() as folder:
            files = await client.download_task_models(task, folder)
            told["files"] = {
                name: [os.path.splitext(path)[1], os.path.getsize(path)] if path else None
                for name, path in files.items()
            }
        if os.environ["VERSION"] == "v3":
            listed = await client.list_tasks([told["tasks"][0], "no-task"])
            told["listed"] = [list(listed.tasks), listed.missed]
            told["usage"] = [row.task_id for row in await client.get_usage()]
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def v3() -> Path:
    """The interpreter that has tripo3d 1.0.0."""
    return sdk.client("tripo3d-1", "tripo3d==1.0.0")


@pytest.fixture(scope="module")
def v2() -> Path:
    """The interpreter that has tripo3d 0.4.2, with its only transport that supports HTTP."""
    return sdk.client("tripo3d-0", "tripo3d[async]==0.4.2")


@pytest.fixture
def fake_v3() -> Iterator[TripoV3]:
    """Tripo v3 on loopback."""
    with serving(TripoV3()) as running:
        yield running


@pytest.fixture
def fake_v2() -> Iterator[TripoV2]:
    """Tripo v2 on loopback; this client sends its key to the host of results."""
    with serving(TripoV2()) as running:
        running.keys_on_files = True
        running.states = running.states[-1:]
        yield running


def cup(folder: Path, view: str = "front") -> str:
    """Write a picture and return its path."""
    path = folder / f"{view}.png"
    path.write_bytes(png_of(64, 48))
    return str(path)


def run_client(python: Path, address: str, version: str, orders: list[dict[str, Any]]) -> Any:
    """Run the client with these orders; return its replies."""
    variables = {"ADDRESS": address, "VERSION": version, "TRIPO_API_KEY": KEY}
    return sdk.run(python, SCRIPT, ORDERS=json.dumps(orders), **variables)


def plain(body: dict[str, Any], uploads: dict[str, bytes]) -> dict[str, Any]:
    """Return a body with its file tokens, which differ each time, replaced."""
    text = json.dumps(body)
    for token in uploads:
        text = text.replace(token, "TOKEN")
    made: dict[str, Any] = json.loads(text)
    return made


def as_theirs(values: dict[str, Any]) -> dict[str, Any]:
    """Return settings as the client's methods take them: compress is a switch there."""
    given = {"model_version" if name == "model" else name: item for name, item in values.items()}
    return {**given, "compress": True} if "compress" in given else given


# -- v3 --------------------------------------------------------------------------------------

ONE_V3: list[dict[str, Any]] = [
    {"model": NEWER},
    {"model": "v2.5-20250123", "texture_seed": 1},
    {"model": NEWER, **MANY},
    {"model": NEWER, **LOW_POLY},
    {"model": NEWER, **SPLIT},
    {"model": NEWER, **AUTOFIX, **PASSED_ON},
    {"model": "P1-20260311", **P1},
]


def test_tripo3d_1_orders_what_we_order(v3: Path, fake_v3: TripoV3, tmp_path: Path) -> None:
    orders = [{"image": cup(tmp_path), **as_theirs(item)} for item in ONE_V3]
    told = run_client(v3, fake_v3.url, "v3", orders)
    theirs = [plain(task.body, fake_v3.uploads) for task in fake_v3.creates]
    assert told["tasks"] == [task.id for task in fake_v3.creates]
    ours = _ours(V3, fake_v3, tmp_path, ONE_V3)
    assert ours == theirs
    assert told["status"] == "success"
    assert told["balance"] == [250.5, 6.78]
    assert told["listed"] == [[told["tasks"][0]], ["no-task"]]
    assert told["usage"] == told["tasks"][::-1]
    assert told["files"]["model"] == [".glb", len(fake_v3.mesh)]
    assert told["files"]["rendered_image"][0] == ".webp"


def _ours(
    version: Version, fake: Any, folder: Path, settings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Make the same orders with our provider; return their bodies."""
    fake.tasks.clear()
    with connection(fake, lambda _: None) as http:
        for values in settings:
            order(version, http, folder, **values)
    return [plain(task.body, fake.uploads) for task in fake.creates]


def test_tripo3d_1_sends_views_by_position_and_we_by_name(
    v3: Path, fake_v3: TripoV3, tmp_path: Path
) -> None:
    front, back = cup(tmp_path), cup(tmp_path, "back")
    theirs_given = {"images": [front, None, back], "model_version": NEWER, "texture_seed": 5}
    run_client(v3, fake_v3.url, "v3", [theirs_given])
    (theirs,) = [plain(task.body, fake_v3.uploads) for task in fake_v3.creates]
    fake_v3.tasks.clear()
    with connection(fake_v3, lambda _: None) as http:
        order(V3, http, tmp_path, ("front", "back"), texture_seed=5)
    (ours,) = [plain(task.body, fake_v3.uploads) for task in fake_v3.creates]
    # Both are documented. A place can be counted wrongly where views are missing, a name cannot.
    assert theirs.pop("inputs") == ["TOKEN", None, "TOKEN"]
    assert ours.pop("inputs") == [{"front": "TOKEN"}, {"back": "TOKEN"}]
    assert ours == theirs


def test_tripo3d_1_sends_an_address_as_we_do(v3: Path, fake_v3: TripoV3) -> None:
    address = "https://example.com/cup.png"
    run_client(v3, fake_v3.url, "v3", [{"image": address, "model_version": NEWER}])
    (theirs,) = fake_v3.creates
    with connection(fake_v3, lambda _: None) as http:
        order_of(V3, http, (Picture("front", "cup", url=address),))
    assert fake_v3.creates[-1].body == theirs.body == {"input": address, "model": NEWER}


def test_tripo3d_1_uploads_as_we_do(v3: Path, fake_v3: TripoV3, tmp_path: Path) -> None:
    run_client(v3, fake_v3.url, "v3", [{"image": cup(tmp_path)}])
    with connection(fake_v3, lambda _: None) as http:
        order(V3, http, tmp_path)
    theirs, ours = fake_v3.calls("POST /v3/files")
    assert form_file(ours) == form_file(theirs)
    assert {item.path for item in (ours, theirs)} == {"/v3/files"}
    assert ours.headers["authorization"] == theirs.headers["authorization"]


def test_tripo3d_1_keeps_its_key_from_the_host_of_files(
    v3: Path, fake_v3: TripoV3, tmp_path: Path
) -> None:
    run_client(v3, fake_v3.url, "v3", [{"image": cup(tmp_path)}])
    seen = [request for request in fake_v3.requests if request.host == "files"]
    assert seen, "no request was seen"
    assert [item.path for item in seen if "authorization" in item.headers] == []


def test_tripo3d_1_does_not_repeat_an_order_either(
    v3: Path, fake_v3: TripoV3, tmp_path: Path
) -> None:
    fake_v3.fault(V3.create, Fault(502, "<html>"))
    with pytest.raises(AssertionError, match="HTTP 502"):
        run_client(v3, fake_v3.url, "v3", [{"image": cup(tmp_path)}])
    assert len(fake_v3.calls(V3.create)) == 1


# -- v2 --------------------------------------------------------------------------------------

ONE_V2: list[dict[str, Any]] = [
    {},
    {"model_version": NEWER, **MANY},
    {**LOW_POLY, **AUTOFIX},
    SPLIT,
    {"model_version": "P1-20260311", **P1},
    {"model_version": "Turbo-v1.0-20250506", "texture_seed": 3},
    {"model_version": "v1.4-20240625", "model_seed": 3},
]


def test_tripo3d_0_orders_what_we_order(v2: Path, fake_v2: TripoV2, tmp_path: Path) -> None:
    orders = [{"image": cup(tmp_path), **as_theirs(item)} for item in ONE_V2]
    told = run_client(v2, fake_v2.base, "v2", orders)
    theirs = [plain(task.body, fake_v2.uploads) for task in fake_v2.creates]
    assert told["tasks"] == [task.id for task in fake_v2.creates]
    ours = _ours(V2, fake_v2, tmp_path, ONE_V2)
    # The client calls every picture a jpg; the documentation advises to say what it is.
    assert {their["file"].pop("type") for their in theirs} == {"jpg"}
    assert {our["file"].pop("type") for our in ours} == {"png"}
    assert ours == theirs
    assert (told["status"], told["balance"]) == ("success", [250.5, 0])
    assert told["files"]["pbr_model"] == [".glb", len(fake_v2.mesh)]


def test_tripo3d_0_sends_views_as_we_do(v2: Path, fake_v2: TripoV2, tmp_path: Path) -> None:
    images = [cup(tmp_path), None, cup(tmp_path, "back"), None]
    run_client(v2, fake_v2.base, "v2", [{"images": images, "texture_seed": 5}])
    (theirs,) = [plain(task.body, fake_v2.uploads) for task in fake_v2.creates]
    fake_v2.tasks.clear()
    with connection(fake_v2, lambda _: None) as http:
        order(V2, http, tmp_path, ("front", "back"), texture_seed=5)
    (ours,) = [plain(task.body, fake_v2.uploads) for task in fake_v2.creates]
    for file in theirs["files"]:
        assert file.pop("type", "jpg") == "jpg"
    for file in ours["files"]:
        assert file.pop("type", "png") == "png"
    assert ours == theirs


def test_tripo3d_0_uploads_to_the_older_address(v2: Path, fake_v2: TripoV2, tmp_path: Path) -> None:
    run_client(v2, fake_v2.base, "v2", [{"image": cup(tmp_path)}])
    with connection(fake_v2, lambda _: None) as http:
        order(V2, http, tmp_path)
    theirs, ours = fake_v2.calls(V2.upload)
    # The documentation names the one, the client without boto3 uses the other.
    assert theirs.path == "/v2/openapi/upload"
    assert ours.path == "/v2/openapi/upload/sts"
    assert form_file(ours)[0] == form_file(theirs)[0]
    assert form_file(ours)[1:] == ("front.png", "image/png")


def test_tripo3d_0_gives_its_key_to_the_host_of_files_and_we_do_not(
    v2: Path, fake_v2: TripoV2, tmp_path: Path
) -> None:
    fake_v2.keys_on_files = False
    told = run_client(v2, fake_v2.base, "v2", [{"image": cup(tmp_path)}])
    assert set(told["files"].values()) == {None}
    with connection(fake_v2, lambda _: None) as http:
        _download(http, fake_v2, tmp_path)
    assert (tmp_path / "mesh.glb").read_bytes() == fake_v2.mesh


def _download(http: Http, fake: TripoV2, folder: Path) -> None:
    answer: Any = V2.provider.poll(order(V2, http, folder), http)
    download(DownloadRequest(answer.files[0].url, folder / "mesh.glb"), http)
