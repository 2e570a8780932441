# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario's own client (scenario-sdk 2.4.0) against the fake, and its requests beside ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import sdk
from fakes.glb import triangle_glb
from fakes.png import png_of
from fakes.scenario import serving
from fakes.scenario_calls import PROVIDER, connection, order, picture
from fakes.scenario_model import MODEL
from fakes.scenario_state import FBX, KEY, SECRET, ScenarioFake, Seen, usual_results

from image_to_mesh.providers import Balance, Request, Result, Uploaded, settings_of
from image_to_mesh.providers._shared.http.client import Http

PICTURE = png_of(64, 48)
LARGE = PICTURE + bytes(9_000_000)

# The body of the reference page's sample, whose asset id was left out there.
SAMPLE = {
    "texture": True,
    "textureQuality": "standard",
    "textureAlignment": "original_image",
    "geometryQuality": "standard",
    "orientation": "default",
    "pbr": True,
    "autoSize": False,
    "quad": False,
    "smartLowPoly": False,
    "generateParts": False,
}
EVERYTHING = {
    "textureQuality": "extreme",
    "textureAlignment": "geometry",
    "geometryQuality": "detailed",
    "textureSeed": 7,
    "orientation": "align_image",
    "faceLimit": 9000,
    "autoSize": True,
    "quad": True,
    "smartLowPoly": True,
    "seed": 0,
}


SCRIPT = """
import base64, json, os, time, urllib.request
import scenario_sdk
from scenario_sdk import Scenario

client = Scenario(max_retries=0)
job = json.loads(os.environ["ORDER"])
told = {}

def large(data):
    upload = client.uploads.create(
        file_name="cup.png", file_size=len(data), content_type="image/png", kind="image",
        parts=-(-len(data) // 8388608)).upload
    for part in upload.parts:
        piece = data[(int(part.number) - 1) * 8388608:int(part.number) * 8388608]
        headers = {"Content-Type": "image/png"}
        put = urllib.request.Request(part.url, piece, headers, method="PUT")
        assert urllib.request.urlopen(put).status == 200
    client.uploads.trigger_action(upload.id, action="complete")
    while (state := client.uploads.retrieve(upload.id).upload).status != "imported":
        assert state.status != "failed"
    return state.entity_id

def small(data):
    text = "data:image/png;base64," + base64.b64encode(data).decode()
    return client.assets.upload(name="cup.png", image=text).asset.id

def wait(job):
    while (now := client.jobs.retrieve(job_id=job).job).status not in ("success", "failure"):
        time.sleep(0.01)
    return now

data = open(os.environ["PICTURE"], "rb").read()
image = large(data) if len(data) > 3_500_000 else small(data)
body = {"image": image, **job}
priced = client.generate.with_raw_response.run_model(
    model_id=os.environ["MODEL"], body={**job, "image": os.environ["ANY_PICTURE"]}, dry_run="true")
told["dry"] = [priced.http_response.status_code, priced.http_response.json()["creativeUnitsCost"]]
response = client.generate.run_model(model_id=os.environ["MODEL"], body=body)
now = wait(response.job.job_id)
told["status"], told["assets"] = now.status, now.metadata.asset_ids
told["billing"] = now.billing.cu_cost - now.billing.cu_discount
assets = [client.assets.retrieve(one, original_assets=True).asset for one in now.metadata.asset_ids]
told["kinds"] = [one.kind for one in assets]
mesh = next(one for one in assets if one.kind == "3d")
told["mesh"] = base64.b64encode(urllib.request.urlopen(mesh.url).read()).decode()
if mesh.mime_type != "model/gltf-binary":
    glb = client.assets.download.request(mesh.id, target_format="glb")
    told["glb"] = base64.b64encode(urllib.request.urlopen(glb.url).read()).decode()
second = client.generate.run_model(model_id=os.environ["MODEL"], body=body)
told["cancelled"] = client.jobs.trigger_action(second.job.job_id, action="cancel").job.status
team = client.teams.list().teams[0].id
told["left"] = client.teams.retrieve_limits(team).limits.creative_units
told["inputs"] = [one.name for one in client.models.retrieve(os.environ["MODEL"]).model.inputs]
try:
    Scenario(api_secret="wrong", max_retries=0).jobs.retrieve(job_id="job_1")
except scenario_sdk.AuthenticationError as error:
    told["refused"] = error.status_code
try:
    client.generate.run_model(model_id=os.environ["MODEL"], body=job)
except scenario_sdk.BadRequestError as error:
    told["missing"] = error.body
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter with Scenario's client."""
    return sdk.client("scenario", "scenario-sdk==2.4.0")


@pytest.fixture
def fake() -> Iterator[ScenarioFake]:
    """Scenario on loopback."""
    with serving() as running:
        running.outcome.script = ("queued", "warming-up", "in-progress", "finalizing", "success")
        yield running


def by_client(fake: ScenarioFake, python: Path, folder: Path, data: bytes, body: Any) -> Any:
    """Do a job with Scenario's client, unchanged but for the address."""
    (folder / "cup.png").write_bytes(data)
    return sdk.run(
        python,
        SCRIPT,
        SCENARIO_BASE_URL=fake.url,
        SCENARIO_SDK_API_KEY=KEY,
        SCENARIO_SDK_API_SECRET=SECRET,
        ORDER=json.dumps(body),
        PICTURE=str(folder / "cup.png"),
        MODEL=MODEL,
        ANY_PICTURE="asset_0000000000000000000000",
    )


def by_us(fake: ScenarioFake, http: Http, folder: Path, data: bytes, body: Any) -> Result:
    """Do the same job with our provider, call by call."""
    settings = PROVIDER.settings(**body)
    pictures = (picture(folder, data),)
    uploaded = PROVIDER.upload(pictures, http)
    PROVIDER.quote(Request(settings, ()), http)
    ticket = PROVIDER.submit(Request(settings, pictures), Uploaded(uploaded.data), http)
    while not isinstance(answer := PROVIDER.poll(ticket, http), Result):
        pass
    PROVIDER.cancel(PROVIDER.submit(Request(settings, pictures), uploaded, http), http)
    assert isinstance(PROVIDER.balance(http), Balance)
    return answer


def requests_of(fake: ScenarioFake) -> list[tuple[str, str, dict[str, str], Any]]:
    """Return the requests, without polls and without the numbers that the fake assigns."""
    kept = [
        request for request in fake.requests if request.method != "GET" or "assets" in request.path
    ]
    return [(name.method, _without_numbers(name.path), name.query, _body(name)) for name in kept]


def _without_numbers(text: str) -> str:
    return "".join("#" if item.isdigit() else item for item in text)


def _body(seen: Seen) -> Any:
    if seen.method == "PUT":
        return len(seen.body)
    if not seen.body:
        return None
    body = dict(seen.json)
    if "image" in body:
        body["image"] = _without_numbers(body["image"][:60])
    return body


@pytest.mark.parametrize(
    ("data", "body"),
    [(PICTURE, {}), (LARGE, EVERYTHING)],
    ids=["small, defaults", "large, everything"],
)
def test_the_same_job_makes_the_same_requests(
    python: Path, tmp_path: Path, data: bytes, body: dict[str, Any]
) -> None:
    seen = []
    for ours in (False, True):
        with serving() as fake, connection(fake, lambda _: None) as http:
            usual_results(fake)
            if ours:
                by_us(fake, http, tmp_path, data, body)
            else:
                by_client(fake, python, tmp_path, data, body)
            seen.append(fake)
    theirs, our = (requests_of(item) for item in seen)
    # At its end the script orders without a picture to see the refusal, which we never send; it
    # polls a job with a wrong key, by a GET that is not compared.
    assert theirs.pop() == ("POST", _without_numbers(f"/generate/custom/{MODEL}"), {}, body or {})
    assert our == theirs


def test_the_client_completes_a_job_at_the_fake(
    fake: ScenarioFake, python: Path, tmp_path: Path
) -> None:
    fake.add_result(FBX, "model/x-fbx")
    told = by_client(fake, python, tmp_path, PICTURE, SAMPLE)
    assert told["dry"] == [269, 40.0]
    assert (told["status"], told["kinds"], told["billing"]) == ("success", ["3d"], 40)
    assert base64.b64decode(told["mesh"]) == FBX
    assert base64.b64decode(told["glb"]) == triangle_glb(3)
    assert (told["cancelled"], told["left"], told["refused"]) == ("canceled", 5000, 401)
    assert told["missing"] == {"reason": "Input image is required", "trace_id": "tr_1"}
    names = sorted(setting.name for setting in settings_of(PROVIDER.settings))
    assert sorted(told["inputs"][1:]) == names
    assert len(fake.submits) == 2


def test_the_sample_sends_our_order_with_explicit_defaults(
    fake: ScenarioFake, http: Http, python: Path, tmp_path: Path
) -> None:
    """The page's sample sends every default. We send none, so that its value stays Scenario's."""
    usual_results(fake)
    by_client(fake, python, tmp_path, PICTURE, SAMPLE)
    order(fake, http, tmp_path)
    theirs, _, our = ({**body, "image": ""} for body in fake.submits)
    assert theirs == {**SAMPLE, **our}
    defaults = {name: getattr(PROVIDER.settings(), name) for name in SAMPLE}
    assert defaults == SAMPLE
    first, *_, last = fake.calls("POST", "/generate/.*")
    for name in ("authorization", "content-type"):
        assert last.headers[name] == first.headers[name]
