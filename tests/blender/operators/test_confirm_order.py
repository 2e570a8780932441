# SPDX-License-Identifier: GPL-3.0-or-later
"""A paid order is confirmed with service, number, and price where nothing else shows them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.clicked import Window, drop, finish, generate_button, open_window
from blender.recording import Layout, Seen, drawing_context
from fakes.noted import noted_jpeg
from fakes.served import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from fakes.served import Place

OPS = bpy.ops.image_to_mesh


@pytest.fixture
def place(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Tripo's fake, chosen in the scene with an image from a file; two more files are beside it."""
    with SERVICES["tripo"](2000) as served:
        monkeypatch.setenv("TRIPO_API_KEY", served.order["keys"]["tripo_api_key"])
        monkeypatch.setenv("TRIPO_BASE_URL", served.order["url"])
        monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
        for number in range(3):
            (tmp_path / f"cup {number}.jpg").write_bytes(noted_jpeg(number))
        chosen = bpy.context.scene.image_to_mesh
        chosen.provider = "tripo"
        chosen.image = bpy.data.images.load(str(tmp_path / "cup 0.jpg"))
        yield served


@pytest.fixture
def windowed(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Window:
    """A window in which operators are clicked."""
    return open_window(monkeypatch)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [tmp_path / f"cup {number}.jpg" for number in range(3)]


def know_price(monkeypatch: pytest.MonkeyPatch, amount: float) -> None:
    """Let the service name a price."""
    price = addon_module("state.orders.price")
    answer = addon_module("jobs").AccountAnswer(amount=amount, unit="Credits")
    monkeypatch.setattr(price, "settings_to_price", lambda _: object())
    monkeypatch.setattr(price, "answer", lambda *_: answer)


def test_the_sidebar_shows_all_of_it_and_does_not_ask(place: Place, windowed: Window) -> None:
    assert generate_button("sidebar").invoke(windowed, None) == {"FINISHED"}
    assert windowed.prompts == []
    finish()
    assert place.creates() == 1


@pytest.mark.parametrize("where", ["image_editor", "menu", ""])
def test_the_first_order_from_elsewhere_asks_once(
    place: Place, windowed: Window, where: str
) -> None:
    button = generate_button(where)
    assert button.invoke(windowed, None) == {"RUNNING_MODAL"}
    assert windowed.prompts[0]["title"] == "Generate with Tripo"
    assert windowed.prompts[0]["message"] == (
        "Tripo charges about 30 Credits. Price according to docs.tripo3d.ai, 2026-11-20."
    )
    finish()
    assert place.creates() == 0, "nothing is ordered before the answer"
    assert generate_button(where).invoke(windowed, None) == {"RUNNING_MODAL"}, "nor is it yes"
    assert button.execute(windowed) == {"FINISHED"}
    finish()
    assert place.creates() == 1
    bpy.context.scene.image_to_mesh.tripo.quad = True  # another order: no repetition
    assert generate_button(where).invoke(windowed, None) == {"FINISHED"}
    finish()
    assert (place.creates(), len(windowed.prompts)) == (2, 2)


def test_the_number_of_images_is_said_if_side_views_go_along(
    place: Place, windowed: Window, tmp_path: Path
) -> None:
    chosen = bpy.context.scene.image_to_mesh
    chosen.tripo.geometry_quality = "detailed"  # has no listed price
    assert "images" not in menu_label()
    for number, view in enumerate(("view_left", "view_back"), start=1):
        setattr(chosen, view, bpy.data.images.load(str(tmp_path / f"cup {number}.jpg")))
    assert menu_label() == "Generate with Tripo · 3 images · Price Unknown"
    assert generate_button("menu").invoke(windowed, None) == {"RUNNING_MODAL"}
    assert windowed.prompts[0]["message"].splitlines() == [
        "Tripo charges for this mesh. The price is unknown.",
        "3 images are sent.",
    ]
    chosen.provider = "local"
    assert menu_label() == "Generate", "nothing is sent"


def menu_label() -> str:
    """Return the label of Generate in the Object menu."""
    shown: list[dict[str, Any]] = []
    menu = addon_module("panels.menus").IMAGE_TO_MESH_MT_object
    menu.draw(SimpleNamespace(layout=Layout(shown, unfolded=True)), drawing_context(400))
    return str(Seen(shown).button("image_to_mesh.generate")["text"])


def test_another_service_is_asked_about_again(place: Place, windowed: Window) -> None:
    confirm = addon_module("operators.confirm_order")
    confirm.remember(windowed, "menu")
    assert not confirm.is_needed(windowed, "menu")
    assert confirm.is_needed(windowed, "drop")
    bpy.context.scene.image_to_mesh.provider = "tripo_v2"
    assert confirm.is_needed(windowed, "menu")
    bpy.context.scene.image_to_mesh.provider = "local"
    assert not confirm.is_needed(windowed, "menu", 3), "what is free needs no answer"


def test_the_first_image_for_a_strangers_server_asks_even_from_the_sidebar(
    place: Place, windowed: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm = addon_module("operators.confirm_order")
    bpy.context.scene.image_to_mesh.provider = "gradio"
    assert not confirm.is_needed(windowed, "sidebar"), "an app on this computer is the user's own"
    monkeypatch.setenv("GRADIO_BASE_URL", "microsoft/TRELLIS.2")
    assert confirm.is_needed(windowed, "sidebar")
    assert confirm.question(windowed, 1, repeated=False).splitlines() == [
        "microsoft-trellis-2.hf.space is somebody else's server. Its owner can see your images.",
        "Gradio charges nothing.",
    ]
    confirm.remember(windowed, "sidebar")
    assert not confirm.is_needed(windowed, "sidebar")
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnop")
    assert confirm.is_needed(windowed, "sidebar"), "the token was not spoken of"
    assert "Its owner can see your images and your token.\n" in confirm.question(
        windowed, 1, repeated=False
    )
    confirm.remember(windowed, "sidebar")
    assert not confirm.is_needed(windowed, "sidebar")
    monkeypatch.delenv("HF_TOKEN")
    assert not confirm.is_needed(windowed, "sidebar")
    monkeypatch.setenv("GRADIO_BASE_URL", "tencent/Hunyuan3D-2")
    assert confirm.is_needed(windowed, "sidebar"), "another server is another owner"
    monkeypatch.setenv("GRADIO_BASE_URL", "no address")
    assert not confirm.is_needed(windowed, "sidebar")


def test_dropped_files_ask_with_their_number_and_sum_each_time(
    place: Place, windowed: Window, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    know_price(monkeypatch, 30)
    addon_module("operators.confirm_order").remember(windowed, "drop")
    dropped = drop(files)
    assert dropped.invoke(windowed, None) == {"RUNNING_MODAL"}
    assert windowed.prompts[0] == {
        "title": "Generate 3 Meshes with Tripo",
        "message": "Tripo charges 3 × 30 Credits = 90 Credits.",
        "confirm_text": "Generate 3 Meshes",
        "icon": "QUESTION",
    }
    finish()
    assert place.creates() == 0, "Cancel ends the operator here"
    assert dropped.execute(windowed) == {"FINISHED"}
    finish()
    addon_module("app.queue").advance()
    finish()
    assert place.creates() == 3
    assert drop(files[:2]).invoke(windowed, None) == {"RUNNING_MODAL"}
    assert "2 × 30 Credits = 60 Credits" in windowed.prompts[1]["message"]


def test_a_repeated_order_says_so_before_its_price(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_price(monkeypatch, 30)
    question = addon_module("operators.confirm_order").question
    assert question(bpy.context, 2, repeated=True).splitlines() == [
        "One of these images was already submitted.",
        "Tripo charges 2 × 30 Credits = 60 Credits.",
    ]
    assert question(bpy.context, 1, repeated=True).splitlines() == [
        "The same image was already submitted.",
        "Tripo charges 30 Credits.",
    ]


def test_files_dropped_from_two_folders_are_refused_unasked(
    place: Place, windowed: Window, files: list[Path], tmp_path: Path
) -> None:
    said: list[str] = []
    dropped = drop([files[0], tmp_path / "plates" / "plate.jpg"])
    dropped.report = lambda _, message: said.append(message)
    assert dropped.invoke(windowed, None) == {"CANCELLED"}
    assert windowed.prompts == []
    (sentence,) = said
    assert sentence.startswith("“plate.jpg” is not in the folder of the first image.")
    finish()
    assert place.creates() == 0


def test_files_from_the_browser_are_asked_about(
    place: Place, windowed: Window, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender executes the operator of a file browser; it does not invoke it."""
    called: list[dict[str, Any]] = []
    chosen = drop(files, _clicked=True)
    operators = addon_module("operators.generate_from_files")
    calls = type(
        "Calls", (), {"make_here": lambda _, how, **given: called.append(given | {"": how})}
    )
    ops = type("Ops", (), {"image_to_mesh": calls()})
    monkeypatch.setattr(operators.bpy, "ops", ops, raising=False)
    assert chosen.execute(windowed) == {"FINISHED"}
    (given,) = called
    assert given[""] == "INVOKE_DEFAULT"
    assert given["files"] == [{"name": file.name} for file in files]
    finish()
    assert place.creates() == 0


def test_a_script_is_not_asked(place: Place, files: list[Path]) -> None:
    names = [{"name": file.name} for file in files]
    assert OPS.make_here(directory=str(files[0].parent), files=names) == {"FINISHED"}
    assert place.creates() == 3


def test_labels_away_from_the_panel_name_service_and_price(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = addon_module("state.orders.price")

    def label() -> str:
        return str(price.with_price(bpy.context, price.with_provider(
            bpy.context, "Generate with {}", "Generate")))  # fmt: skip

    assert label() == "Generate with Tripo · About 30 Credits"
    bpy.context.scene.image_to_mesh.tripo.geometry_quality = "detailed"
    assert label() == "Generate with Tripo · Price Unknown"
    know_price(monkeypatch, 1250.5)
    assert label() == "Generate with Tripo · 1,250.5 Credits"
    assert price.price_text(bpy.context, 3) == "3 × 1,250.5 Credits"
    bpy.context.scene.image_to_mesh.provider = "local"
    assert label() == "Generate"


def test_what_was_paid_last_time_is_said_as_such(
    place: Place, windowed: Window, files: list[Path]
) -> None:
    assert OPS.generate() == {"FINISHED"}
    addon_module("jobs").library_index(addon_module("preferences").library(bpy.context)).refresh()
    paid = addon_module("state.orders.price").known_price(bpy.context)
    assert paid is not None
    assert paid.is_last
    drop(files[1:]).invoke(windowed, None)
    assert (
        windowed.prompts[0]["message"] == "Tripo charges 2 × 30 Credits = 60 Credits, as last time."
    )


def test_the_drop_menu_names_service_and_price(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = addon_module("operators.images.drop_menu")
    entry = menu.IMAGE_TO_MESH_FH_pictures
    assert menu.is_needed(bpy.context)
    menu.poll(bpy.context, 0.0)
    assert entry.bl_label == "Generate Mesh with Tripo · About 30 Credits"
    assert entry.is_registered
    know_price(monkeypatch, 30)
    menu.poll(bpy.context, 0.0)
    assert entry.bl_label == "Generate Mesh with Tripo · 30 Credits"
    assert not menu.is_needed(bpy.context)
    bpy.context.scene.image_to_mesh.provider = "local"
    menu.poll(bpy.context, 0.0)
    assert entry.bl_label == "Generate Mesh Here"


def test_a_label_is_cut_where_blender_would_refuse_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = addon_module("operators.images.drop_menu")
    monkeypatch.setattr(menu, "with_price", lambda *_: "·" * 100)
    menu.poll(bpy.context, 0.0)
    assert menu.IMAGE_TO_MESH_FH_pictures.bl_label == "·" * 31


def test_a_drop_whose_menu_named_another_price_is_asked_about(
    place: Place, windowed: Window, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = addon_module("operators.images.drop_menu")
    addon_module("operators.confirm_order").remember(windowed, "drop")
    assert drop(files[:1]).invoke(windowed, None) == {"RUNNING_MODAL"}, "the menu named no service"
    menu.poll(bpy.context, 0.0)
    assert drop(files[:1]).invoke(windowed, None) == {"FINISHED"}
    finish()
    assert place.creates() == 1


def test_a_price_in_tiny_credits_is_also_said_in_dollars(
    place: Place, windowed: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AI/ML API's 2,000,000 credits are 1 USD: 182,000 credits look ruinous, and are cents."""
    bpy.context.scene.image_to_mesh.provider = "aiml_triposr"
    shown = addon_module("panels.account_text").price_of(windowed)
    assert (shown.text, shown.sentence) == (
        "About 182,000 Credits",
        "Price: about 182,000 Credits ($0.09)",
    )
    confirm = addon_module("operators.confirm_order")
    assert "= 364,000 Credits ($0.18)" in confirm.question(windowed, 2, repeated=False)
    tooltip = addon_module("operators.generate").IMAGE_TO_MESH_OT_generate.description
    assert "Price: about 182,000 Credits ($0.09)" in tooltip(windowed, None).splitlines()
    bpy.context.scene.image_to_mesh.provider = "tripo"
    know_price(monkeypatch, 30)
    assert addon_module("panels.account_text").price_of(windowed).sentence == "Price: 30 Credits"
    assert "$" not in tooltip(windowed, None)
