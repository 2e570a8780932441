# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's own client (fal-client 1.0.3) against the fake, and its requests beside ours."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import sdk
from fakes.fal import KEY, Fal, serving
from fakes.fal_calls import PROVIDER, connection, picture, settings_of
from fakes.glb import triangle_glb
from fakes.png import png_of
from fakes.scenario_state import Seen

from image_to_mesh.providers import Request, Result

PICTURE = png_of(160, 140)

SCRIPT = """
import base64, json, os, urllib.request
import fal_client
from fal_client import client as module

# The client calls https only, so its addresses are set here.
module.QUEUE_URL_FORMAT = os.environ["FAL_URL"] + "/"
module.REST_URL = os.environ["FAL_URL"]
client = fal_client.SyncClient(key=os.environ["FAL_KEY"])
model, inputs = os.environ["MODEL"], json.loads(os.environ["INPUTS"])
headers = json.loads(os.environ["HEADERS"])
told = {}
url = client.upload(open(os.environ["PICTURE"], "rb").read(), "image/png", "front.png",
                    repository="fal", lifecycle=fal_client.StorageSettings(expires_in="1d"))
body = {os.environ["FIELD"]: url, **inputs}
handle = client.submit(model, body, headers=headers)
told["urls"] = [handle.status_url, handle.response_url, handle.cancel_url]
told["states"] = [type(state).__name__ for state in handle.iter_events(interval=0.01)]
answer = handle.get()
file = answer.get("model_glb") or answer["model_mesh"]
told["mesh"] = base64.b64encode(urllib.request.urlopen(file["url"]).read()).decode()
second = client.submit(model, body, headers=headers)
client.cancel(model, second.request_id)
try:
    fal_client.SyncClient(key="wrong").submit(model, body)
except fal_client.FalClientHTTPError as error:
    told["wrong key"] = error.status_code
try:
    client.submit(model, {**body, os.environ["FIELD"]: "nothing"})
except fal_client.FalClientHTTPError as error:
    told["bad image"] = [error.status_code, json.loads(error.response.text)["detail"][0]["type"]]
print(json.dumps(told))
"""

CASES: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    ("fal-ai/trellis-2", "image_url", {}, {}),
    (
        "fal-ai/hunyuan3d/v2/turbo",
        "input_image_url",
        {"textured_mesh": True, "octree_resolution": 512, "seed": 5},
        {"X-Fal-Queue-Priority": "low", "X-Fal-Request-Timeout": "60.0"},
    ),
]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter with fal's client."""
    return sdk.client("fal-client", "fal-client==1.0.3")


def by_client(fake: Fal, python: Path, folder: Path, case: Any) -> Any:
    """Do a job with fal's client, unchanged but for the addresses."""
    model, field, values, headers = case
    (folder / "cup.png").write_bytes(PICTURE)
    return sdk.run(
        python,
        SCRIPT,
        FAL_URL=fake.url,
        FAL_KEY=KEY,
        MODEL=model,
        FIELD=field,
        INPUTS=json.dumps(values),
        HEADERS=json.dumps(headers),
        PICTURE=str(folder / "cup.png"),
    )


def by_us(fake: Fal, folder: Path, case: Any) -> None:
    """Do the same job with our provider, call by call."""
    model, _, values, headers = case
    queue = {"priority": "low", "start_timeout": 60} if headers else {}
    with connection(fake, lambda _: None) as http:
        settings = settings_of(http, {"model": model, **queue, **values})
        pictures = (picture(folder, data=PICTURE),)
        uploaded = PROVIDER.upload(pictures, http)
        request = Request(settings, pictures)
        ticket = PROVIDER.submit(request, uploaded, http)
        while not isinstance(PROVIDER.poll(ticket, http), Result):
            pass
        PROVIDER.cancel(PROVIDER.submit(request, uploaded, http), http)


def requests_of(fake: Fal) -> list[Any]:
    """Return the requests without polls, and without the numbers that the fake assigns."""
    kept = [item for item in fake.requests if item.method != "GET"]
    return [(item.method, _plain(item.path), item.query, _body(item), _headers(item))
            for item in kept]  # fmt: skip


def _plain(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


def _body(seen: Seen) -> Any:
    if seen.method == "PUT":
        return len(seen.body)
    return {name: re.sub(r":\d+/", ":PORT/", value) if isinstance(value, str) else value
            for name, value in seen.json.items()}  # fmt: skip


def _headers(seen: Seen) -> dict[str, str]:
    names = ["x-fal-queue-priority", "x-fal-request-timeout", "x-fal-object-lifecycle-preference"]
    # The client sends the key to the storage of files, too; we do not. A cancel has no body.
    names += ["authorization"] if seen.host == "api" else []
    names += [] if seen.path.endswith("/cancel") else ["content-type"]
    return {name: seen.headers[name] for name in names if name in seen.headers}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_the_same_job_makes_the_same_requests(python: Path, tmp_path: Path, case: Any) -> None:
    seen = []
    for ours in (False, True):
        with serving(Fal(takes_keyed_uploads=True)) as fake:
            by_us(fake, tmp_path, case) if ours else by_client(fake, python, tmp_path, case)
            seen.append(requests_of(fake))
    theirs, our = seen
    # At its end the script orders with a wrong key and with a bad image, to see the refusals.
    assert our == theirs[:-2]


def test_the_client_completes_a_job_at_the_fake(python: Path, tmp_path: Path) -> None:
    with serving(Fal(takes_keyed_uploads=True)) as fake:
        told = by_client(fake, python, tmp_path, CASES[1])
        assert all(url.startswith(f"{fake.url}/fal-ai/hunyuan3d/requests/") for url in told["urls"])
        assert told["states"] == ["Queued", "InProgress", "Completed"]
        assert base64.b64decode(told["mesh"]) == triangle_glb()
        assert (told["wrong key"], told["bad image"]) == (401, [422, "file_download_error"])
        assert len(fake.cancelled) == 1
        # The wrong key is refused without an order, and the bad image as well.
        assert len(fake.orders) == 2
