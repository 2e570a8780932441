# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist at work in one Blender: chooses pictures, presses buttons, reads the panel."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui import pictures

if TYPE_CHECKING:
    from gui.harness import Session

ADDON = "bl_ext.user_default.image_to_mesh"
GENERATED = "[obj.name for obj in bpy.data.objects if 'image_to_mesh_job' in obj]"
_INSIDE = ("inside_scene.py", "inside_layout.py", "inside_panel.py", "inside_stalls.py")
_UNFOLD = f"""
import sys
panel = getattr(sys.modules['{ADDON}.panels.sidebar'], PANEL)
if panel.bl_options:
    bpy.utils.unregister_class(panel)
    panel.bl_options = set()
    panel.bl_idname += '_open'
    bpy.utils.register_class(panel)
"""
_PICTURED = f"""
from importlib import import_module
latest = import_module("{ADDON}.jobs.tasks.subject_previews").subject_previews().latest
key_of = import_module("{ADDON}.state.preflight").picture_key
bool(latest) and latest.request.key == key_of(bpy.context.scene.image_to_mesh.image)
"""
_CANCEL_FROM_RIGHT = (52, 44, 60)
"""Pixels from the sidebar's right edge, 20 of them for its tabs; the border of a box varies."""
_ROW = 12
_NEAR = range(100, 200, 8)
"""Pixels from Generate to Cancel in the first row of Jobs, with the other subpanels closed."""

_BORDER = (5, 6, 5, 6, 7, 4) * 2
"""Pixels from the region's left edge where the sidebar's thin border can be dragged."""
_REST = 0.4
"""Seconds that the pointer rests on the border before the drag, as a hand does."""
_ATTEMPTS, _ATTEMPT_PAUSE = 12, 0.3
"""Panels slide into place, and thumbnails are loaded later than the interface is drawn."""
CLOSE = 8
"""How many pixels the sidebar may be wider or narrower than requested."""


class Artist:
    """Does what an artist does with the add-on, and reads what an artist sees."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._generate = 0
        for file in _INSIDE:
            session.run(Path(__file__).with_name(file).read_text("utf-8"))
        session.run("watch_panel()")

    # What they do

    def unfold(self, panel: str) -> None:
        """Have a subpanel open, such as "views"; Blender offers scripts no way to unfold one."""
        self.session.run(f"PANEL = {'IMAGE_TO_MESH_PT_' + panel!r}\n{_UNFOLD}")

    def new_file(self) -> None:
        """Open a new file with the sidebar open; messages of earlier jobs are dismissed."""
        self.session.run("dismiss_jobs(); bpy.ops.wm.read_homefile()")
        self.session.open_tab()

    def choose(self, picture: Path, **settings: Any) -> None:
        """Open a picture file and choose it, with settings of the built-in provider."""
        self.session.run(
            f"image = bpy.data.images.load({str(picture)!r}, check_existing=True)\n"
            "choices = bpy.context.scene.image_to_mesh\n"
            "choices.image = image\n"
            f"for name, value in {settings!r}.items(): setattr(choices.local, name, value)"
        )
        self.remember()

    def remember(self, message: str = "Set up") -> None:
        """Make the setup of a test one undo step and draw it, as if it was done by hand."""
        self.session.run(f"with within(): bpy.ops.ed.undo_push(message={message!r})")
        self.words()

    def speak(self, language: str) -> None:
        """Switch Blender's interface to another language."""
        self.session.run(
            "view = bpy.context.preferences.view\n"
            f"view.language = {language!r}\n"
            "view.use_translate_interface = view.use_translate_tooltips = True"
        )

    def press_generate(self) -> float:
        """Move from the 3D view to Generate, click it, and return the time of the click."""
        self.point_at_view()  # A button under the pointer is not redrawn.
        moment = self.session.click_button("image_to_mesh.generate")
        _, self._generate = self.session.found["image_to_mesh.generate"]
        return moment

    def find_cancel(self, seconds: float = 30) -> tuple[int, int]:
        """Find Cancel, the small button at the right end of the progress bar."""
        place = self.session.run("place_of('UI')")
        right, end = place["left"] + place["width"], place["top"] + place["height"]
        rows = [self._generate + step for step in _NEAR if self._generate + step < end]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for x, y in ((right - away, y) for away in _CANCEL_FROM_RIGHT for y in rows):
                self.session.move_seen((x, y))
                if self.session.under_pointer().startswith("bpy.ops.image_to_mesh.cancel("):
                    return x, y
            rows = list(range(place["top"] + place["height"] // 4, end, _ROW))
        self.session.screenshot("no-cancel")
        raise AssertionError("no Cancel in the sidebar")

    def point_at_view(self) -> None:
        """Move the pointer over the 3D view, where keys undo and redo."""
        place = self.session.run("place_of('WINDOW')")
        across, down = place["width"] // 4, place["height"] * 3 // 4
        self.session.move(place["left"] + across, place["top"] + down)

    def drag_sidebar_to(self, pixels: int) -> None:
        """Drag the sidebar's left border; retry, since the thin line is easily missed."""
        for border in _BORDER:
            place = self.session.run("place_of('UI')")
            if abs(place["width"] - pixels) < CLOSE:
                return
            self.point_at_view()
            start = (place["left"] + border, place["top"] + 220)
            end = (start[0] + place["width"] - pixels, start[1])
            self.session.drag(start, end, rest=_REST)
        wide = self.sidebar_width()
        assert abs(wide - pixels) < CLOSE, f"the sidebar is {wide} pixels wide"

    # What they see

    def sidebar_width(self) -> int:
        """Return the sidebar's width in pixels."""
        return int(self.session.run("region('UI').width"))

    def meshes(self) -> list[str]:
        """Return the names of the generated meshes in the file."""
        found: list[str] = self.session.run(GENERATED)
        return found

    def wait_for_mesh(self, seconds: float = 20) -> str:
        """Wait until a generated mesh is there and return its name."""
        return str(self.session.wait_for(GENERATED, seconds)[0])

    def wait_for_picture(self) -> None:
        """Wait until the chosen image is checked and drawn, which keeps a process busy."""
        self.session.wait_for(_PICTURED, 30)

    def words(self) -> str:
        """Return the panel's words after a fresh draw, one line for each row."""
        moment = self.session.run("redraw_sidebar(); time.monotonic()")
        self.session.wait_for(f"bool(shown) and shown[-1]['at'] > {moment}")
        return "\n".join(self.session.run("shown[-1]['words']"))

    def keep(self, name: str) -> Path:
        """Take screenshots of the sidebar until two in a row are equal; return the last."""
        self.point_at_view()
        before = b""
        for _ in range(_ATTEMPTS):
            self.words()
            file = self.session.screenshot(name, "UI")
            now = pictures.pixels(file)
            if now == before:
                break
            before = now
            time.sleep(_ATTEMPT_PAUSE)
        return file

    def shows(self, words: str, seconds: float = 30) -> None:
        """Wait until the panel shows these words, across line breaks."""
        self.session.wait_for(
            f"redraw_sidebar(); bool(shown) and {words!r} in ' '.join(shown[-1]['words'])", seconds
        )

    def running(self) -> list[dict[str, Any]]:
        """Return phase and progress of the running jobs."""
        jobs: list[dict[str, Any]] = self.session.run("running_jobs()")
        return jobs

    def endings(self) -> list[dict[str, Any]]:
        """Return how this Blender's jobs ended, newest first."""
        jobs: list[dict[str, Any]] = self.session.run("ended_jobs()")
        return jobs

    def workers(self) -> list[str]:
        """Return the background Blenders that run."""
        return [line for line in self.session.processes() if "worker/main.py" in line]
