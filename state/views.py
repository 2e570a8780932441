# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's pictures: the front, its other views, and which front these were chosen for.

A view of another thing must not go into an order unseen, so each view remembers its front.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import PointerProperty, StringProperty

from ..i18n.translate import tr

SIDE_VIEWS = ("left", "back", "right")
TOOLTIPS = {
    "left": "The same subject, seen from its left",
    "back": "The same subject, seen from its back",
    "right": "The same subject, seen from its right",
}
BOUND = "views_bound"
"""The property that names the views which remember their front: it may be gone from the file."""


def pictures() -> dict[str, Any]:
    """Return the properties of the scene's pictures."""
    found: dict[str, Any] = {
        "image": _picture(
            "Image", "The image to turn into a mesh, seen from the front", _front_changed
        ),
        BOUND: StringProperty(options={"HIDDEN"}),
    }
    for view in SIDE_VIEWS:
        found[f"view_{view}"] = _picture(view.capitalize(), TOOLTIPS[view], _view_changed(view))
        found[_front_name(view)] = PointerProperty(type=bpy.types.Image, options={"HIDDEN"})
    return found


def view_of(choices: Any, view: str) -> bpy.types.Image | None:
    """Return the picture of a view; the front is one."""
    found: bpy.types.Image | None = (
        choices.image if view == "front" else getattr(choices, f"view_{view}")
    )
    return found


def foreign(choices: Any, views: tuple[str, ...] = SIDE_VIEWS) -> list[str]:
    """Return those of the views that were chosen for another front."""
    bound = getattr(choices, BOUND).split()
    return [
        view
        for view in SIDE_VIEWS
        if view in views
        and view in bound
        and view_of(choices, view) is not None
        and getattr(choices, _front_name(view)) != choices.image
    ]


def problem(choices: Any, views: tuple[str, ...]) -> str:
    """Return why these views cannot go into an order; empty where they can."""
    if foreign(choices, views):  # guard: views-of-another-front
        return tr("The other views were chosen for another image: keep or clear them")
    return ""


def keep(choices: Any) -> None:
    """Let the views belong to the picture that is in front now."""
    for view in SIDE_VIEWS:
        _bind(choices, view)


def clear(choices: Any) -> bool:
    """Take the views away; say whether there were any."""
    there = [view for view in SIDE_VIEWS if view_of(choices, view) is not None]
    for view in there:
        setattr(choices, f"view_{view}", None)
    return bool(there)


def put_in_front(choices: Any, image: bpy.types.Image, *, same_subject: bool = False) -> bool:
    """Make an image the picture; say whether that took views of another subject away."""
    strange, was = foreign(choices), choices.image
    if same_subject:
        choices.image = image
        for view in SIDE_VIEWS:
            if view not in strange:
                _bind(choices, view)
        return False
    cleared = image != was and clear(choices)  # guard: views-go-with-their-front
    choices.image = image
    return cleared


def _picture(title: str, description: str, changed: Callable[[Any, Any], None]) -> Any:
    return PointerProperty(
        type=bpy.types.Image, name=title, description=description, options=set(), update=changed
    )


def _front_name(view: str) -> str:
    return f"front_of_{view}"


def _front_changed(choices: Any, _context: bpy.types.Context) -> None:
    """Bind views that were chosen before any front was."""
    bound = getattr(choices, BOUND).split()
    for view in SIDE_VIEWS:
        if view not in bound:
            _bind(choices, view)


def _view_changed(view: str) -> Callable[[Any, Any], None]:
    # Blender takes plain functions only.
    def changed(choices: Any, _context: bpy.types.Context) -> None:
        _bind(choices, view)

    return changed


def _bind(choices: Any, view: str) -> None:
    """Remember the front that a view is chosen for, once there are both."""
    others = [one for one in getattr(choices, BOUND).split() if one != view]
    is_one = view_of(choices, view) is not None and choices.image is not None
    setattr(choices, _front_name(view), choices.image if is_one else None)
    setattr(choices, BOUND, " ".join([*others, view] if is_one else others))
