# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradio's own client against the fake: it finds there what it expects of a real app."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import gradio, sdk
from fakes.gradio import Gradio
from fakes.gradio_shapes import TRELLIS, hunyuan3d

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]
CLIENTS = {
    "2.7.2": ("gradio-client==2.7.2",),
    "1.10.2": ("gradio-client==1.10.2", "huggingface_hub<1"),
}
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
START = """
import inspect, json, os, pathlib
from gradio_client import Client, handle_file
known = inspect.signature(Client.__init__).parameters
how = {"analytics_enabled": False, "token": False, "hf_token": False}
client = Client(os.environ["ADDRESS"], verbose=False, download_files=os.environ["FOLDER"],
                **{name: value for name, value in how.items() if name in known})
image = handle_file(os.environ["IMAGE"])
def failure(job):
    try:
        return job.result()
    except Exception as error:
        return str(error)
"""
WHOLE = """
api = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
made = [client.predict(api_name="/start_session"),
        client.predict(image, api_name="/preprocess_image")]
job = client.submit(image, [], 5, 7.5, 3.0, "stochastic", api_name="/image_to_3d")
made.append(job.result())
glb = client.predict(0.95, 1024, api_name="/extract_glb")[0]
print(json.dumps({
    "api": {name: [[row["parameter_name"] for row in item["parameters"]],
                   [row["component"] for row in item["returns"]]] for name, item in api.items()},
    "cut out": pathlib.Path(made[1]).read_bytes().decode(), "video": list(made[2]),
    "status": job.status().code.name, "mesh": pathlib.Path(glb).read_bytes().hex(),
}))
"""
REFUSALS = """
client.predict(api_name="/start_session")
orders = [(image, [], 13, 7.5, 3.0, "stochastic"), (image, [], -1, 7.5, 3.0, "stochastic")]
said = [failure(client.submit(*order, api_name="/image_to_3d")) for order in orders]
print(json.dumps(said))
"""
FULL = "print(json.dumps(failure(client.submit(api_name='/start_session'))))"
CANCEL = """
import time
job = client.submit(image, api_name="/preprocess_image")
until = time.monotonic() + 20
while job.status().code.name in ("STARTING", "SENDING_DATA", "IN_QUEUE"):
    assert time.monotonic() < until
    time.sleep(0.05)
print(json.dumps(job.cancel()), flush=True)
"""
WRAPPED = """
print(json.dumps(len(client.predict("", image, None, None, None, None, 30, 5.0, 7, 256, True, False,
                                    api_name="/generation_all"))))
"""


@pytest.fixture(params=CLIENTS)
def version(request: pytest.FixtureRequest) -> str:
    """The version of the client."""
    return str(request.param)


@pytest.fixture
def python(version: str) -> Path:
    """Return the interpreter that has this version of the client."""
    return sdk.client(f"gradio-{version}", *CLIENTS[version])


@pytest.fixture
def app(version: str) -> Iterator[Gradio]:
    """An app of the shape of TRELLIS: of Gradio 5 for the newer client, of 4 for the other."""
    prefix = "/gradio_api" if version.startswith("2") else ""
    with gradio.serving(Gradio(TRELLIS, prefix)) as served:
        yield served


@pytest.fixture
def place(tmp_path: Path, png: bytes) -> dict[str, str]:
    """An image and a folder for downloads, as variables for a script."""
    (tmp_path / "cup.png").write_bytes(png)
    (tmp_path / "made").mkdir()
    return {"IMAGE": str(tmp_path / "cup.png"), "FOLDER": str(tmp_path / "made"), **OFFLINE}


def output_of(python: Path, app: Gradio, place: dict[str, str], script: str) -> Any:
    """Return what a script with a connected client has printed."""
    return sdk.run(python, START + script, ADDRESS=app.url, **place)


def test_the_client_makes_a_mesh_in_several_calls(
    python: Path, app: Gradio, place: dict[str, str], png: bytes
) -> None:
    said = output_of(python, app, place, WHOLE)
    assert said["api"]["/extract_glb"] == [
        ["mesh_simplify", "texture_size"],
        ["Model3D", "Downloadbutton"],
    ]
    assert said["api"]["/image_to_3d"][1] == ["Video"]
    assert (said["cut out"], said["status"]) == ("cut out", "FINISHED")
    assert bytes.fromhex(said["mesh"]) == app.mesh
    assert app.worked_names == ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]
    assert png in app.files.values()


def test_the_client_passes_on_what_the_app_says(
    python: Path, app: Gradio, place: dict[str, str]
) -> None:
    quota, odd = output_of(python, app, place, REFUSALS)
    assert "exceeded your GPU quota (60s requested vs. 12s left)" in quota
    assert "-1 is not in the range" in odd


def test_the_client_understands_a_full_queue(
    python: Path, app: Gradio, place: dict[str, str]
) -> None:
    app.refused = 1
    assert "Queue is full" in output_of(python, app, place, FULL)
    assert not app.worked


def test_the_client_can_cancel(python: Path, app: Gradio, place: dict[str, str]) -> None:
    app.held = threading.Event()
    assert output_of(python, app, place, CANCEL)
    assert len(app.canceled) == 1
    assert not app.worked


def test_the_client_takes_the_many_inputs_and_outputs_of_hunyuan3d(
    python: Path, place: dict[str, str]
) -> None:
    with gradio.serving(Gradio(hunyuan3d())) as app:
        assert output_of(python, app, place, WRAPPED) == 5
    assert dict(app.worked)["generation_all"]["seed"] == 7
