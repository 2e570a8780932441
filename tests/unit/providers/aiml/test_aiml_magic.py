# SPDX-License-Identifier: GPL-3.0-or-later
"""`magic/image-to-3d` of AI/ML API against its fake: views, answers, refusals, the sample."""

from __future__ import annotations

import base64
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import aiml_samples as samples
from fakes.aiml import KEY, SHAPES, Aiml, Fault, classic
from fakes.aiml_cases import order, picture_at
from fakes.png import png_of

from image_to_mesh.providers import (
    ImageToMeshError,
    Picture,
    Provider,
    Result,
    get_provider,
    settings_of,
)

PROVIDER: Provider[Any] = get_provider("aiml_magic")
TRIPOSR: Provider[Any] = get_provider("aiml_triposr")
VIEWS = ("front", "left", "back", "right")
OTHERS = [chosen for count in range(4) for chosen in itertools.combinations(VIEWS[1:], count)]


def test_views_are_offered_and_there_are_no_settings() -> None:
    assert PROVIDER.views == VIEWS
    assert settings_of(PROVIDER.settings) == ()


@pytest.mark.parametrize("others", OTHERS, ids="-".join)
def test_every_choice_of_views_arrives_in_its_own_field(
    aiml: Aiml, tmp_path: Path, others: tuple[str, ...]
) -> None:
    views = ("front", *others)
    data = {view: png_of(8 + number, 8) for number, view in enumerate(views)}
    order(PROVIDER, aiml, *(picture_at(tmp_path, data[view], view) for view in views))
    addresses = {
        f"{view}_image_url": f"data:image/png;base64,{base64.b64encode(data[view]).decode()}"
        for view in views
    }
    assert aiml.orders == [{"model": "magic/image-to-3d", **addresses}]


def test_files_and_addresses_go_together(aiml: Aiml, cup: Picture) -> None:
    order(PROVIDER, aiml, cup, Picture("back", "cup", url="https://example.com/back.png"))
    assert aiml.orders[0]["back_image_url"] == "https://example.com/back.png"
    assert aiml.orders[0]["front_image_url"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_an_answer_is_read(aiml: Aiml, cup: Picture, shape: str) -> None:
    aiml.shape = shape
    result = PROVIDER.poll(order(PROVIDER, aiml, cup), None)
    assert isinstance(result, Result)
    assert result.files[0].format == "glb"
    assert result.credits


@pytest.mark.parametrize("status", [400, 404])
def test_a_model_that_is_switched_off_is_reported(aiml: Aiml, cup: Picture, status: int) -> None:
    aiml.models = ("triposr",)
    if status == 404:
        aiml.faults["generate"] = [Fault(404, classic(404, "Unknown"))]
    with pytest.raises(ImageToMeshError) as caught:
        order(PROVIDER, aiml, cup)
    assert caught.value.kind == "failed"
    assert "no longer be available" in caught.value.hint
    assert caught.value.link == "https://aimlapi.com/models"
    assert (aiml.posts(), aiml.orders) == (1, [])


def test_both_models_share_account_and_address() -> None:
    for name in ("keys", "address", "key_url", "formats"):
        assert getattr(PROVIDER, name) == getattr(TRIPOSR, name)
    assert [key.preference for key in PROVIDER.keys] == ["aiml_api_key"]
    assert [key.environment for key in PROVIDER.keys] == ["AIML_API_KEY"]
    address = PROVIDER.address
    assert address is not None
    assert (address.preference, address.environment, address.default) == (
        "aiml_base_url",
        "AIML_BASE_URL",
        "https://api.aimlapi.com",
    )


def test_four_views_at_their_limit_stay_a_moderate_request() -> None:
    assert len(VIEWS) * PROVIDER.limits.max_bytes * 4 / 3 < 12e6


def test_sample_program_of_the_documentation_agrees(aiml: Aiml, tmp_path: Path) -> None:
    picture = f"{aiml.files_url}/mushroom.jpg"
    program = samples.MAGIC
    ours = {samples.ADDRESS: aiml.url, samples.PICTURE: picture, samples.KEY: KEY}
    for theirs, own in ours.items():
        program = program.replace(theirs, own)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "model.glb").read_bytes() == aiml.mesh
    order(PROVIDER, aiml, Picture("front", "mushroom", url=picture))
    theirs_body, our_body = aiml.orders
    assert our_body == theirs_body
