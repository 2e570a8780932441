# SPDX-License-Identifier: GPL-3.0-or-later
"""fal from the click to the mesh: models of different shapes, their settings, and their views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from fakes.fal import DONE, KEY, Fal, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def fake() -> Iterator[Fal]:
    """The service on loopback."""
    with serving(Fal(script=(DONE,))) as running:
        yield running


@pytest.fixture
def chosen(fake: Fal, addon: ModuleType, preferences: Any, tmp_path: Path) -> Any:
    """The scene's choices: images of all sides, the provider, its key, and its address."""
    preferences.fal_base_url, preferences.fal_api_key = fake.url, KEY
    preferences.library = str(tmp_path / "library")
    chosen = bpy.context.scene.image_to_mesh
    chosen.provider = "fal"
    chosen.image = image_of("front")
    return chosen


def image_of(name: str) -> Any:
    """Return an image that differs for each name."""
    image = bpy.data.images.new(name, 64, 64)
    image.pixels = [(index % (3 + len(name))) / 9 for index in range(64 * 64 * 4)]
    return image


def rows() -> dict[str, Any]:
    """Return the settings of the model by name."""
    return {item.name: item for item in bpy.context.scene.image_to_mesh.server_rows}


def test_a_model_with_its_settings(chosen: Any, fake: Fal) -> None:
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    rows()["resolution"].choice = "512"
    rows()["seed"].use = True
    rows()["seed"].whole = 5
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    [sent] = fake.orders.values()
    assert sent.model == "fal-ai/trellis-2"
    assert (sent.inputs["resolution"], sent.inputs["seed"]) == ("512", 5)
    assert [item for item in bpy.data.objects if item.type == "MESH"]


def test_a_model_without_asking_for_its_settings(chosen: Any, fake: Fal) -> None:
    chosen.fal.model, chosen.fal.purpose = "fal-ai/trellis", "draft"
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    [sent] = fake.orders.values()
    assert sent.inputs.keys() == {
        "image_url", "mesh_simplify", "texture_size", "ss_sampling_steps", "slat_sampling_steps",
    }  # fmt: skip


def test_a_model_that_needs_three_views(chosen: Any, fake: Fal) -> None:
    chosen.fal.model = "fal-ai/hunyuan3d/v2/multi-view"
    with pytest.raises(RuntimeError, match="front, left, and back"):
        bpy.ops.image_to_mesh.generate()
    assert not fake.orders
    chosen.view_left, chosen.view_back = image_of("left"), image_of("back view")
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    [sent] = fake.orders.values()
    assert sent.inputs.keys() == {"front_image_url", "left_image_url", "back_image_url"}


def test_a_model_that_needs_a_name_for_its_subject(chosen: Any, fake: Fal) -> None:
    chosen.fal.model = "fal-ai/sam-3/3d-objects"
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Subject"):
        bpy.ops.image_to_mesh.generate()
    rows()["prompt"].text = "mug"
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    [sent] = fake.orders.values()
    assert sent.inputs["prompt"] == "mug"


def test_a_model_that_is_not_in_the_menu(chosen: Any, fake: Fal) -> None:
    image = {"image_url": {"type": "string"}, "detail": {"type": "integer", "default": 3}}
    schema = {"properties": image, "required": ["image_url"]}
    body = {"content": {"application/json": {"schema": schema}}}
    fake.openapi["me/new-model"] = {"paths": {"/x": {"post": {"requestBody": body}}}}
    fake.output = {"anything": {"url": f"{fake.media}/files/x.glb"}}
    chosen.fal.model, chosen.fal.model_id = "other", "https://fal.ai/models/me/new-model"
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    rows()["detail"].whole = 7
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    [sent] = fake.orders.values()
    assert (sent.model, sent.inputs["detail"]) == ("me/new-model", 7)


def test_another_model_has_settings_of_its_own(chosen: Any) -> None:
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    assert "decimation_target" in rows()
    chosen.fal.model = "fal-ai/triposr"
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    assert set(rows()) == {
        "output_format", "do_remove_background", "foreground_ratio", "mc_resolution",
    }  # fmt: skip


def test_the_price_follows_the_settings(chosen: Any) -> None:
    price = addon_module("state.orders.price")
    assert price.known_price(bpy.context).amount == 0.3
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}
    rows()["resolution"].choice = "1536"
    known = price.known_price(bpy.context)
    assert (known.amount, known.unit) == (0.35, "USD")
