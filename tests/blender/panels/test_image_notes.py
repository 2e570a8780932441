# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences about the image in the sidebar, and the buttons that edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import Seen, draw

if TYPE_CHECKING:
    from types import ModuleType

MARK = "image_to_mesh.mark_subject"


@pytest.fixture
def chosen(addon: ModuleType) -> Any:
    """The scene's choices, with an image."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    return chosen


def icons_of(seen: Seen, text: str) -> list[str]:
    """Return the icons of the lines that begin with a text."""
    return [row["icon"] for row in seen.all("label") if row["text"].startswith(text)]


def test_why_an_image_cannot_be_read_is_said_once_below_the_preview(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preflight, module = addon_module("state.preflight"), addon_module("panels.image_checks")
    error = addon_module("providers").BadImage("It has no pixels.")
    report = addon_module("jobs").ImageReport(error=error)
    monkeypatch.setattr(module.jobs.image_checks(), "report", lambda _key: report)
    assert "Image cannot be used" in draw(width=280).text()
    preflight.note_readable(chosen.image, error)
    seen = draw(width=280)
    assert icons_of(seen, "It has no pixels") == ["ERROR"]
    assert "Image cannot be used" not in seen.text()
    rows = [row.get("property") or row.get("text") for row in seen.shown]
    assert rows.index("It has no pixels.") < rows.index("image"), "above the image's name"
    assert not seen.button("image_to_mesh.generate")["enabled"]


def test_an_image_without_a_file_says_so_below_the_preview(chosen: Any) -> None:
    chosen.image.source = "MOVIE"
    action = addon_module("panels.generate").plan_action(bpy.context)
    (warning,) = action.warnings
    assert (warning.icon, "is a movie" in warning.text) == ("ERROR", True)
    assert not action.notices
    assert not action.can_run


def test_advice_about_the_image_has_the_i_and_names_the_button(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = addon_module("panels.image_checks")
    report = addon_module("jobs").ImageReport(subjects=2, clear=True)
    monkeypatch.setattr(module, "_newest_report", lambda _image: report)
    seen = draw(width=300)
    assert icons_of(seen, "2 separate subjects: mark one") == ["INFO"]
    assert seen.button("image_to_mesh.generate")["enabled"]


def test_the_button_that_marks_the_subject_is_after_crop_and_has_a_word_if_it_fits(
    chosen: Any,
) -> None:
    def texts(width: int) -> list[str]:
        seen = draw(width=width)
        rows = [*seen.buttons("image_to_mesh.develop"), seen.button(MARK)]
        return [row["text"] for row in sorted(rows, key=seen.shown.index)]

    assert texts(280) == ["Remove Background", "Crop to Subject", "Mark Subject"]
    assert texts(190) == ["Remove Background", "Crop to Subject", ""]
    assert texts(500) == ["Remove Background", "Crop to Subject", ""]


def test_with_side_views_the_line_sums_up_what_is_sent(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for all images: that of the front alone would contradict it."""
    module, jobs = addon_module("panels.image_checks"), addon_module("jobs")
    report = jobs.ImageReport(info=addon_module("providers").PictureInfo("png", 64, 64),
                              size=200_000, clear=True)  # fmt: skip
    monkeypatch.setattr(module.jobs.image_checks(), "report", lambda _key: report)
    chosen.provider = "tripo"
    assert "Sends 64 × 64 PNG, 0.2 MB" in draw(width=600).text()
    chosen.view_left = bpy.data.images.new("left", 64, 64)
    chosen.view_back = bpy.data.images.new("back", 64, 64)
    text = draw(width=600, unfolded=True).text()
    assert text.count("Sends 3 images, 0.6 MB") == 1
    assert text.count("Sends") == 1
    chosen.provider = "local"
    assert "Sends" not in draw(width=600, unfolded=True).text()


def test_warnings_are_short_and_have_a_gap_above_them(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, jobs = addon_module("panels.image_checks"), addon_module("jobs")
    info = addon_module("providers").PictureInfo("png", 300, 100)
    report = jobs.ImageReport(info=info, box=(0.1, 0.2, 0.6, 0.6), brightness=0.1, clear=True)
    monkeypatch.setattr(module, "_newest_report", lambda _image: report)
    seen = draw(width=280)
    rows = [(row["kind"], row.get("text", "")) for row in seen.shown]
    at = rows.index(("label", "Small subject: 150 × 40 px"))
    assert rows[at - 2 : at + 2] == [
        ("template_icon", ""),
        ("label", ""),
        ("label", "Small subject: 150 × 40 px"),
        ("label", "Very dark subject"),
    ]


def test_the_preview_never_vanishes(chosen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module, image = addon_module("panels.image_checks"), addon_module("panels.image")
    monkeypatch.setattr(module, "problems", lambda _image: ["A long sentence. " * 20])
    (icon,) = draw(width=220).all("template_icon")
    assert icon["scale"] == pytest.approx(image.LEAST_PREVIEW - image.BORDER)
    assert icon["scale"] * 20 >= 48
