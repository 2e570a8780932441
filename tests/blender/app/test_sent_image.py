# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's picture of what will be sent follows the image, the provider and its settings."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

LINE = (255, 161, 41)
GRAYS = (92, 112)


@pytest.fixture
def chosen(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene's properties, with nothing checked yet and the tab in sight."""
    for name, cache in (("image_checks",) * 2, ("subject_previews",) * 2):
        getattr(addon_module(f"jobs.tasks.{name}"), cache).cache_clear()
    for step in ("image_checks", "subject_preview"):
        monkeypatch.setattr(addon_module(f"app.periodic.{step}"), "is_shown", lambda _: True)
    addon_module("state.previews.sent_image")._shown.clear()
    return bpy.context.scene.image_to_mesh


def follow(seconds: float = 60.0) -> None:
    """Run the two steps, as the heartbeat does, until the picture shows what is chosen."""
    sent = addon_module("state.previews.sent_image")
    end = time.monotonic() + seconds
    while sent.current() is None or sent.current() != sent.wish_of(bpy.context):
        now = time.monotonic()
        assert now < end
        addon_module("app.periodic.image_checks").poll(bpy.context, now)
        if addon_module("app.periodic.subject_preview").is_needed(bpy.context):
            addon_module("app.periodic.subject_preview").poll(bpy.context, now)
        time.sleep(0.02)


def colors() -> list[tuple[int, int, int]]:
    """Return the picture's pixels, the bottom row first."""
    preview = addon_module("state.previews.sent_image")._collection[0]["sent"]
    pixels = [0] * len(preview.image_pixels)
    preview.image_pixels.foreach_get(pixels)
    return [(value & 255, value >> 8 & 255, value >> 16 & 255) for value in pixels]


def line() -> int:
    """Return how many pixels of the picture are in the outline's color."""
    return sum(all(abs(a - b) < 10 for a, b in zip(c, LINE, strict=True)) for c in colors())


def open_sample(chosen: Any) -> Any:
    """Choose the sample photograph, a flower in front of leaves."""
    chosen.image = bpy.data.images.load(str(places.SAMPLE))
    return chosen.image


def test_the_outline_follows_foreground_tolerance_and_provider(chosen: Any) -> None:
    open_sample(chosen)
    follow()
    usual = line()
    assert usual > 500
    chosen.local.tolerance = 0.2
    follow()
    assert abs(line() - usual) > 100
    chosen.provider = "tripo"
    follow()
    # A service gets the whole image: nothing is outlined and nothing is faint.
    assert line() < 100
    width, height = addon_module("state.previews.sent_image")._collection[0]["sent"].image_size
    assert (width, height) == (320, 256)


def test_a_removed_background_is_a_checkerboard_at_a_service(chosen: Any) -> None:
    open_sample(chosen)
    chosen.provider = "tripo"
    follow()
    assert colors()[0] not in [(gray,) * 3 for gray in GRAYS]
    bpy.ops.image_to_mesh.develop(background="remove")
    follow()
    assert colors()[0] in [(gray,) * 3 for gray in GRAYS]


def test_the_panel_draws_it_and_blenders_own_picture_until_then(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = open_sample(chosen)
    (row,) = draw().all("template_icon")
    assert row["icon_value"] == (image.preview.icon_id if image.preview else 0)
    follow()
    # Without a window, Blender gives no icon a number.
    own = 77
    numbered = {"sent": SimpleNamespace(icon_id=own)}
    # Undone before the add-on is disabled, which frees the real collection.
    with monkeypatch.context() as patched:
        patched.setattr(addon_module("state.previews.sent_image"), "_collection", [numbered])
        (row,) = draw().all("template_icon")
        assert row["icon_value"] == own
        # Another image must not be shown with this one's picture.
        chosen.image = bpy.data.images.new("cup", 64, 64)
        assert all(row["icon_value"] != own for row in draw().all("template_icon"))


def test_settings_that_find_nothing_are_reported_where_the_built_in_provider_is_chosen(
    chosen: Any,
) -> None:
    open_sample(chosen)
    chosen.local.foreground = "alpha"
    follow()
    assert "no transparent background" in draw(width=900).text()
    chosen.provider = "tripo"
    follow()
    assert "no transparent background" not in draw(width=900).text()
    chosen.provider = "local"
    chosen.local.foreground = "none"
    follow()
    assert not any(row.get("icon") == "ERROR" for row in draw(width=900).all("label"))


def test_an_image_of_long_ago_gets_its_picture_back(chosen: Any) -> None:
    """Only the newest reports keep the copies that pictures are made from."""
    open_sample(chosen)
    follow()
    checks = addon_module("jobs.tasks.image_checks")
    reports, key = checks.image_checks()._reports, addon_module("state.preflight").picture_key
    own = key(chosen.image)
    for number in range(checks.THUMBNAILS):
        reports[number] = reports[own]
    checks.image_checks()._trim_thumbnails()
    assert reports[own].copy is None
    addon_module("state.previews.sent_image")._shown.clear()
    addon_module("jobs.tasks.subject_previews").subject_previews.cache_clear()
    follow()
    assert reports[own].copy is not None


def check(chosen: Any, now: float) -> None:
    """Run the step that checks the image, at a time in seconds."""
    addon_module("app.periodic.image_checks").poll(bpy.context, now)


def test_a_file_that_is_no_image_disables_generate_until_it_is_replaced(
    chosen: Any, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.png"
    letter.write_text("Dear reader,\n", "utf-8")
    os.utime(letter, (1, 1))
    chosen.image = bpy.data.images.load(str(letter))
    for now in (100.0, 101.0, 102.0):
        check(chosen, now)
    why_not = addon_module("state.preflight").why_not
    assert "no pixels" in why_not(bpy.context)
    assert not draw().button("image_to_mesh.generate")["enabled"]
    for name in ("develop", "mark_subject"):
        assert not getattr(bpy.ops.image_to_mesh, name).poll(), name
    letter.write_bytes(places.SAMPLE.read_bytes())
    checks = addon_module("jobs.tasks.image_checks").image_checks()
    end = time.monotonic() + 60
    now = 110.0
    while why_not(bpy.context):
        assert time.monotonic() < end
        check(chosen, now)
        now += 0.5
        time.sleep(0.05)
    assert checks.report(addon_module("state.preflight").picture_key(chosen.image)).error is None


def test_that_an_image_is_unreadable_is_forgotten_after_a_while(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the tab is hidden, nothing inspects the file again; Generate can be elsewhere, too."""
    preflight, errors = addon_module("state.preflight"), addon_module("providers")
    chosen.image = bpy.data.images.new("cup", 64, 64)
    preflight.note_readable(chosen.image, errors.BadImage("It cannot be read."))
    assert preflight.why_not(bpy.context) == "It cannot be read."
    later = time.monotonic() + preflight.VALID + 1.0
    monkeypatch.setattr(preflight.time, "monotonic", lambda: later)
    assert preflight.why_not(bpy.context) == ""


def test_a_new_render_is_checked_again(chosen: Any) -> None:
    image = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")
    key = addon_module("state.preflight").picture_key
    before = key(image)
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 32
    bpy.ops.render.render()
    assert key(image) != before
