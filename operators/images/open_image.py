# SPDX-License-Identifier: GPL-3.0-or-later
"""Open image files as the scene's image, or as one of its side views."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
from bpy.props import EnumProperty

from ... import jobs, preferences
from ...app.chosen_image import use_as
from ...i18n.translate import tr
from ...providers import BadImage, Message
from ...state.views import SIDE_VIEWS
from ..arguments import HIDDEN, ImageFiles
from .choose import VIEWS_HELD_BACK, use_later

HEAD = 16
"""Number of bytes at the start of a file that identify a HEIC or AVIF photo."""


class IMAGE_TO_MESH_OT_open_image(ImageFiles, bpy.types.Operator):
    """Open image files, and use the first one as the scene's image or as a side view.

    Blender's own `image.open` is not used: it mistakes a phone's `IMG_1423.JPG` for a UDIM tile.
    """

    bl_idname = "image_to_mesh.open_image"
    bl_label = "Open Image"
    bl_description = "Open an image file; of several files, the first one is used"
    bl_options = {"REGISTER", "UNDO"}

    view: EnumProperty(
        name="View",
        description="View that the image shows",
        items=[(view, view.capitalize(), "") for view in ("front", *SIDE_VIEWS)],
        options=HIDDEN,
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        paths = self.paths()
        if len(paths) > 1:
            self.report({"INFO"}, tr("{} images were opened").format(len(paths)))
        return use_later(self, context, partial(self._open_all, context, paths))

    def _open_all(self, context: bpy.types.Context, paths: list[str]) -> None:
        for path in paths:
            _check_file(path)  # all of them first: either all are opened or none
        for path in paths:
            self._open(context, path, self.view if path is paths[0] else "")

    def _open(self, context: bpy.types.Context, path: str, view: str) -> None:
        """Open an image, at once or on a thread, and use it for a view unless `view` is ""."""
        if "://" in path:
            online = preferences.may_reach(path)
            jobs.image_downloads().start(path, online=online, view=view)
        elif _is_photo(path):
            jobs.image_downloads().decode(Path(path), view)
        elif use_as(context, _load(Path(path)), view):
            self.report({"WARNING"}, tr(VIEWS_HELD_BACK))


def _check_file(path: str) -> None:
    """Raise BadImage if there is no such file; a URL is not checked."""
    if "://" not in path and not Path(path).is_file():
        raise BadImage(Message("Image file not found: {path}.", path=path), "Choose another file.")


def _is_photo(path: str) -> bool:
    """Return whether a file's content is a HEIC or AVIF photo; False if it cannot be read."""
    from ...providers._shared.images.other_formats import is_heif

    try:
        with Path(path).open("rb") as file:
            return is_heif(file.read(HEAD))
    except OSError:
        return False


def _load(path: Path) -> bpy.types.Image:
    """Return a file's image; load it if it is not loaded. Raise BadImage if it cannot be read."""
    known = set(bpy.data.images)
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
        if min(image.size) > 0 or image.source == "MOVIE":
            return image
        if image not in known:
            bpy.data.images.remove(image)
    except RuntimeError:
        pass
    raise BadImage(
        Message("“{name}” is not an image that Blender can read.", name=path.name),
        "Choose another file.",
    )


classes = (IMAGE_TO_MESH_OT_open_image,)
