# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's images: the front view and its side views.

A side view of another subject must not be sent by accident, so each side view remembers the front
image that it was chosen for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import PointerProperty, StringProperty

from ..i18n.translate import tr
from . import subject_box

SIDE_VIEWS = ("left", "back", "right")
TOOLTIPS = {
    "left": "The same subject, seen from its left side",
    "back": "The same subject, seen from behind",
    "right": "The same subject, seen from its right side",
}
BOUND = "views_bound"
"""Property that lists the side views assigned to a front image, which may be deleted by now."""


def pictures() -> dict[str, Any]:
    """Return the properties for the scene's images, by name."""
    found: dict[str, Any] = {
        "image": _picture(
            "Image", "The image to turn into a mesh, seen from the front", _front_changed
        ),
        BOUND: StringProperty(options={"HIDDEN"}),
        **subject_box.owner(),
    }
    for view in SIDE_VIEWS:
        found[f"view_{view}"] = _picture(view.capitalize(), TOOLTIPS[view], _view_changed(view))
        found[_front_name(view)] = PointerProperty(type=bpy.types.Image, options={"HIDDEN"})
    return found


def view_of(choices: Any, view: str) -> bpy.types.Image | None:
    """Return the image of a view, `"front"` included, or None."""
    found: bpy.types.Image | None = (
        choices.image if view == "front" else getattr(choices, f"view_{view}")
    )
    return found


def foreign(choices: Any, views: tuple[str, ...] = SIDE_VIEWS) -> list[str]:
    """Return the side views among `views` that were chosen for another front image."""
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
    """Return why these views cannot be sent; empty if they can."""
    if foreign(choices, views):  # guard: views-of-another-front
        return tr("The views belong to another image")
    return ""


def images_of(choices: Any, views: tuple[str, ...]) -> dict[str, bpy.types.Image]:
    """Return the images by view, in the order of `views`; views without an image are left out."""
    found = {view: view_of(choices, view) for view in views}
    return {view: image for view, image in found.items() if image is not None}


def keep(choices: Any) -> None:
    """Assign all side views to the current front image."""
    for view in SIDE_VIEWS:
        _bind(choices, view)


def clear(choices: Any, views: tuple[str, ...] = SIDE_VIEWS) -> None:
    """Remove the side views in `views`, by default all; their images stay in the file."""
    for view in views:
        setattr(choices, f"view_{view}", None)


def put_in_front(choices: Any, image: bpy.types.Image, *, same_subject: bool = False) -> None:
    """Set the front image; side views stay, and `foreign` then returns those of another image.

    With `same_subject`, the image is an edit of the current one, and takes over its side views.
    Otherwise, side views that were chosen before any front image count as those of another image.
    """
    strange = foreign(choices)
    if not same_subject:
        # The image may show another subject, unlike one that is chosen right beside its side views.
        _bind_to_none(choices)  # guard: views-before-any-front
    choices.image = image
    # The side views still refer to the image before the edit.
    for view in SIDE_VIEWS if same_subject else ():
        if view not in strange:
            _bind(choices, view)


def _picture(title: str, description: str, changed: Callable[[Any, Any], None]) -> Any:
    return PointerProperty(
        type=bpy.types.Image, name=title, description=description, options=set(), update=changed
    )


def _front_name(view: str) -> str:
    return f"front_of_{view}"


def _front_changed(choices: Any, _context: bpy.types.Context) -> None:
    """Assign the side views that were chosen before any front image to the new front image.

    A box around the subject of another image is removed.
    """
    subject_box.drop_foreign(choices)
    bound = getattr(choices, BOUND).split()
    for view in SIDE_VIEWS:
        if view not in bound:
            _bind(choices, view)


def _view_changed(view: str) -> Callable[[Any, Any], None]:
    # Blender accepts only plain functions as callbacks, no bound methods or partials.
    def bind(choices: Any, _context: bpy.types.Context) -> None:
        _bind(choices, view)

    return bind


def _bind_to_none(choices: Any) -> None:
    """Mark unassigned side views as belonging to no front image, so that the user is asked."""
    bound = getattr(choices, BOUND).split()
    free = [view for view in images_of(choices, SIDE_VIEWS) if view not in bound]
    setattr(choices, BOUND, " ".join([*bound, *free]))


def _bind(choices: Any, view: str) -> None:
    """Assign a side view to the front image, or to none if one of the two is missing."""
    others = [name for name in getattr(choices, BOUND).split() if name != view]
    is_bound = view_of(choices, view) is not None and choices.image is not None
    setattr(choices, _front_name(view), choices.image if is_bound else None)
    setattr(choices, BOUND, " ".join([*others, view] if is_bound else others))
