# SPDX-License-Identifier: GPL-3.0-or-later
"""The drag of a box around the subject, event by event, without a window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType

SIDE = 400
"""Pixels of the image in the region, whose lower left corner is at (100, 50) in the window."""
LEFT, LOW = 100, 50
METHODS = ("modal", "_press", "_set_box", "_place", "_stop", "cancel")


class Drag:
    """The operator in a region without a window, and the box that it sets."""

    def __init__(self) -> None:
        operator = addon_module("operators.images.mark_subject").IMAGE_TO_MESH_OT_mark_subject
        view = SimpleNamespace(region_to_view=lambda x, y: (x / SIDE, y / SIDE))
        region = SimpleNamespace(x=LEFT, y=LOW, width=SIDE, height=SIDE, view2d=view)
        region.tag_redraw = lambda: None
        methods = {name: vars(operator)[name] for name in METHODS}
        self.operator: Any = type("Operator", (), {**methods, "execute": self.finish})()
        for name, value in {"_region": region, "_from": None, "_to": (0, 0)}.items():
            setattr(self.operator, name, value)
        self.operator._handler, self.operator._orientation = None, 1
        self.box: tuple[float, ...] = ()

    def finish(self, _context: Any) -> set[str]:
        """Stand in for `execute`, which has tests of its own."""
        operator = self.operator
        self.box = (operator.left, operator.top, operator.right, operator.bottom)
        return {"FINISHED"}

    def send(self, kind: str, x: float = 0.0, y: float = 0.0, value: str = "PRESS") -> set[str]:
        """Send an event at a place in the image, from its lower left; return the result."""
        place = {"mouse_x": round(LEFT + x * SIDE), "mouse_y": round(LOW + y * SIDE)}
        event = SimpleNamespace(type=kind, value=value, **place)
        result: set[str] = self.operator.modal(SimpleNamespace(), event)
        return result


@pytest.fixture
def drag(addon: ModuleType) -> Drag:
    """An operator that waits for a drag."""
    return Drag()


@pytest.mark.parametrize(("start", "end"), [((0.2, 0.9), (0.7, 0.4)), ((0.7, 0.4), (0.2, 0.9))])
def test_a_drag_in_any_direction_is_a_box(
    drag: Drag, start: tuple[float, float], end: tuple[float, float]
) -> None:
    assert drag.send("LEFTMOUSE", *start) == {"RUNNING_MODAL"}
    assert drag.send("MOUSEMOVE", 0.5, 0.5) == {"RUNNING_MODAL"}
    assert drag.send("LEFTMOUSE", *end, value="RELEASE") == {"FINISHED"}
    assert drag.box == pytest.approx((0.2, 0.1, 0.7, 0.6))


def test_a_drag_on_a_photo_that_is_stored_lying_is_one_on_the_upright_photo(drag: Drag) -> None:
    drag.operator._orientation = 6
    drag.send("LEFTMOUSE", 0.2, 0.9)
    drag.send("LEFTMOUSE", 0.7, 0.4, value="RELEASE")
    assert drag.box == pytest.approx((0.4, 0.2, 0.9, 0.7))


def test_a_drag_beyond_the_image_ends_at_its_border(drag: Drag) -> None:
    drag.send("LEFTMOUSE", 0.5, 0.5)
    drag.send("LEFTMOUSE", 1.5, -0.5, value="RELEASE")
    assert drag.box == pytest.approx((0.5, 0.5, 1.0, 1.0))


def test_a_click_without_a_drag_waits_for_another(drag: Drag) -> None:
    drag.send("LEFTMOUSE", 0.5, 0.5)
    assert drag.send("LEFTMOUSE", 0.5, 0.5, value="RELEASE") == {"RUNNING_MODAL"}
    assert drag.box == ()
    assert drag.send("LEFTMOUSE", 0.6, 0.6, value="RELEASE") == {"RUNNING_MODAL"}
    assert drag.box == (), "a release without a press is not the end of a drag"


@pytest.mark.parametrize("key", ["ESC", "RIGHTMOUSE"])
def test_a_drag_is_cancelled(drag: Drag, key: str) -> None:
    drag.send("LEFTMOUSE", 0.2, 0.2)
    assert drag.send(key) == {"CANCELLED"}
    assert drag.box == ()


def test_a_click_elsewhere_is_not_swallowed(drag: Drag) -> None:
    assert drag.send("LEFTMOUSE", 1.2, 0.5) == {"CANCELLED", "PASS_THROUGH"}


def test_the_view_still_moves(drag: Drag) -> None:
    for key in ("MIDDLEMOUSE", "WHEELUPMOUSE", "TIMER"):
        assert drag.send(key) == {"PASS_THROUGH"}
    assert drag.send("G") == {"RUNNING_MODAL"}
