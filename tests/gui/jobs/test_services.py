# SPDX-License-Identifier: GPL-3.0-or-later
"""Every service from the click to the mesh, each against its strict fake on loopback.

One Blender carries the keys and addresses of all five. It is offline, as Blender is by default:
services on this machine may still be called.
"""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from fakes import aiml, scenario, scenario_state, tripo_server
from fakes.aiml import Aiml
from fakes.png import png_of
from fakes.scenario_state import ScenarioFake
from fakes.tripo import TripoV3
from fakes.tripo_v2 import TripoV2
from gui import pictures
from gui.artist import Artist
from gui.vase import FACES, vase
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from gui.conftest import StartBlender

IDS = ("tripo", "tripo_v2", "scenario", "aiml_triposr", "aiml_magic")
COLORED = "aiml_triposr"
"""Returns vertex colors; the others return textures."""
CURSOR = [1.0, -0.5, 0.25]
SECONDS = 40.0
KEYS = (tripo_server.KEY, scenario_state.KEY, scenario_state.SECRET, aiml.KEY)
COLORS = {"front": (200, 40, 40), "left": (40, 200, 40), "back": (40, 40, 200)}

# Without the cube; the view faces the place at the cursor.
STAGE = f"""
from math import radians
from mathutils import Euler
bpy.data.objects.remove(bpy.data.objects["Cube"])
bpy.context.scene.cursor.location = {CURSOR}
bpy.context.scene.image_to_mesh.placement.position = "cursor"
space = view3d().spaces.active
space.shading.type, space.shading.color_type = "SOLID", "{{}}"
space.region_3d.view_location = (1.0, -0.5, 0.7)
space.region_3d.view_distance = 4.0
space.region_3d.view_rotation = Euler((radians(70), 0, radians(20))).to_quaternion()
"""
FACTS = """
thing = bpy.data.objects[{0!r}]
mesh = thing.data
{{
    "location": list(thing.matrix_world.translation),
    "faces": len(mesh.polygons),
    "images": [
        list(node.image.size)
        for material in mesh.materials for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    ],
    "colors": [one.name for one in mesh.color_attributes],
    "selected": thing.select_get(),
}}
"""


@dataclass
class Services:
    """The five fakes."""

    tripo: TripoV3
    tripo_v2: TripoV2
    scenario: ScenarioFake
    aimlapi: Aiml

    def environment(self) -> dict[str, str]:
        """Return the environment that a user sets, so that Blender finds the keys."""
        return {
            "TRIPO_API_KEY": tripo_server.KEY,
            "TRIPO_BASE_URL": self.tripo.base,
            "TRIPO_V2_BASE_URL": self.tripo_v2.base,
            "SCENARIO_SDK_API_KEY": scenario_state.KEY,
            "SCENARIO_SDK_API_SECRET": scenario_state.SECRET,
            "SCENARIO_BASE_URL": self.scenario.url,
            "AIML_API_KEY": aiml.KEY,
            "AIML_BASE_URL": self.aimlapi.url,
        }

    def creates(self) -> dict[str, int]:
        """Return how many orders each fake has accepted."""
        models = [order["model"] for order in self.aimlapi.orders]
        return {
            "tripo": len(self.tripo.creates),
            "tripo_v2": len(self.tripo_v2.creates),
            "scenario": len(self.scenario.submits),
            "aiml_triposr": models.count("triposr"),
            "aiml_magic": models.count("magic/image-to-3d"),
        }


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """The five fakes, with meshes of the kind that each service returns."""
    with contextlib.ExitStack() as opened:
        first = opened.enter_context(tripo_server.serving(TripoV3()))
        second = opened.enter_context(tripo_server.serving(TripoV2()))
        third = opened.enter_context(scenario.serving())
        fourth = opened.enter_context(aiml.serving(Aiml(takes=1.0)))
        first.mesh = second.mesh = vase(textured=True)
        third.add_result(png_of(8, 8), "image/png", "image")
        third.add_result(vase(textured=True), "model/gltf-binary")
        yield Services(first, second, third, fourth)


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, services: Services) -> Iterator[Artist]:
    """An artist who has a key for every service."""
    with open_blender(**services.environment()) as session:
        session.open_tab()
        yield Artist(session)


@pytest.fixture
def views(workshop: Path) -> dict[str, Path]:
    """Three views of different colors."""
    return {
        view: pictures.with_dark_corner(workshop, f"vase-{view}.png", color)
        for view, color in COLORS.items()
    }


def set_up(artist: Artist, services: Services, provider: str, picture: Path, **sides: Path) -> None:
    """Begin a new file, look at the cursor, choose provider and pictures."""
    colored = provider == COLORED
    services.aimlapi.mesh = vase(textured=not colored)
    artist.new_file()
    artist.session.run(STAGE.format("VERTEX" if colored else "TEXTURE"))
    artist.session.run(f"bpy.context.scene.image_to_mesh.provider = {provider!r}")
    for view, file in sides.items():
        artist.session.run(
            f"bpy.context.scene.image_to_mesh.view_{view} = bpy.data.images.load({str(file)!r})"
        )
    artist.choose(picture)


def screenshot_panel(artist: Artist, name: str) -> None:
    """Take a screenshot of the panel at rest: a button is redrawn when the pointer leaves it."""
    artist.point_at_view()
    artist.words()
    artist.words()
    artist.session.screenshot(name)


def no_leak(artist: Artist) -> None:
    """Fail if the console shows a traceback or a key."""
    printed = artist.session.output()
    assert "Traceback" not in printed
    assert not any(key in printed for key in KEYS)


@pytest.mark.parametrize("provider", IDS)
def test_from_the_click_to_the_mesh(
    artist: Artist, services: Services, photograph: Path, provider: str
) -> None:
    set_up(artist, services, provider, photograph)
    before = services.creates()
    artist.press_generate()
    name = artist.wait_for_mesh(SECONDS)
    artist.shows("Import Again")
    screenshot_panel(artist, f"service-{provider}")

    made = artist.session.run(FACTS.format(name))
    assert made["location"] == CURSOR
    assert made["selected"]
    assert made["faces"] == FACES
    assert bool(made["colors"]) == (provider == COLORED)
    assert bool(made["images"]) != (provider == COLORED)
    assert services.creates() == {**before, provider: before[provider] + 1}
    no_leak(artist)


def color_of(data: bytes) -> tuple[int, ...]:
    """Return the color in the middle of a picture as it was sent."""
    with Image.open(io.BytesIO(data)) as sent:
        pixel = sent.convert("RGB").getpixel((sent.width // 2, sent.height // 2))
    assert isinstance(pixel, tuple)
    return pixel


def views_at_tripo(services: Services) -> dict[str, bytes]:
    """Return the pictures of Tripo's last order."""
    task = services.tripo.creates[-1]
    assert task.kind == "multiview_to_model"
    named = {view: item for slot in task.body["inputs"] for view, item in slot.items()}
    return {view: services.tripo.uploads[token] for view, token in named.items()}


def views_at_aiml(services: Services) -> dict[str, bytes]:
    """Return the pictures of AI/ML API's last order."""
    order = services.aimlapi.orders[-1]
    assert order["model"] == "magic/image-to-3d"
    ending = "_image_url"
    return {
        name.removesuffix(ending): base64.b64decode(value.partition(",")[2])
        for name, value in order.items()
        if name.endswith(ending)
    }


@pytest.mark.parametrize(
    ("provider", "received"), [("tripo", views_at_tripo), ("aiml_magic", views_at_aiml)]
)
def test_all_views_reach_the_service(
    artist: Artist,
    services: Services,
    views: dict[str, Path],
    provider: str,
    received: Callable[[Services], dict[str, bytes]],
) -> None:
    set_up(artist, services, provider, views["front"], left=views["left"], back=views["back"])
    artist.unfold("views")
    before = services.creates()
    artist.press_generate()
    artist.wait_for_mesh(SECONDS)
    artist.shows("Import Again")
    screenshot_panel(artist, f"service-views-{provider}")

    arrived = {view: color_of(data) for view, data in received(services).items()}
    assert arrived == COLORS
    assert services.creates() == {**before, provider: before[provider] + 1}
    no_leak(artist)


def test_missing_credits_are_reported_with_how_to_buy_them(
    artist: Artist, services: Services, photograph: Path
) -> None:
    set_up(artist, services, "tripo", photograph)
    scene, before = artist.session.run("scene_facts()"), services.creates()
    services.tripo.balance = 5
    artist.press_generate()
    artist.shows("Copy Error", SECONDS)
    link = artist.session.find("wm.url_open")
    artist.session.move(*link)
    offered = artist.session.under_pointer()
    screenshot_panel(artist, "service-error")

    ending = artist.endings()[0]
    said = " ".join(artist.words().split())
    assert ending["kind"] == "no_credits"
    assert ending["message"] in said
    assert ending["hint"] in said
    assert "https://platform.tripo3d.ai/billing" in offered
    assert artist.session.run("scene_facts()") == scene
    assert services.creates() == before
    no_leak(artist)


def test_after_topping_up_it_works(artist: Artist, services: Services) -> None:
    services.tripo.balance = 250.5
    before = services.creates()
    artist.press_generate()
    artist.wait_for_mesh(SECONDS)
    assert services.creates() == {**before, "tripo": before["tripo"] + 1}
    no_leak(artist)
