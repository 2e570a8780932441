# SPDX-License-Identifier: GPL-3.0-or-later
"""Disabled and enabled again in a running window, also in the middle of a job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gui.artist import ADDON

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

PATIENCE = 4.0
"""Seconds, enough on any machine; the measured times, under 1 s on a quiet one, are printed."""
FACES = 2_000
WAKING = (
    f"sys.modules['{ADDON}.app.periodic.recovery'].is_needed(bpy.context) or "
    f"sys.modules['{ADDON}.jobs'].session().at_work()"
)
FACTS = f"""
import threading
watch = sys.modules["{ADDON}.app.watcher"]
{{
    "types": [name for name in dir(bpy.types)],
    "handlers": {{
        name: sorted(each.__qualname__ for each in getattr(bpy.app.handlers, name))
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
    }},
    "timers": bpy.app.timers.is_registered(watch._come_back),
    "modal": [each.bl_idname for each in bpy.context.window_manager.windows[0].modal_operators],
    "threads": sorted(each.name for each in threading.enumerate()),
    "scene": hasattr(bpy.types.Scene, "image_to_mesh"),
}}
"""


def facts(artist: Artist) -> dict[str, Any]:
    """Return the classes, handlers, timers and threads of the add-on in a Blender."""
    # Blender removes the handlers of unregistered operators with the next event.
    artist.point_at_view()
    artist.session.move(700, 500)
    artist.session.run("import sys")
    found: dict[str, Any] = artist.session.run(FACTS)
    return found


def disable(artist: Artist) -> float:
    """Disable the add-on and return the seconds that it took."""
    seconds: float = artist.session.run(
        "import time; started = time.monotonic()\n"
        f"bpy.ops.preferences.addon_disable(module={ADDON!r})\n"
        "time.monotonic() - started"
    )
    return seconds


def enable(artist: Artist) -> None:
    """Enable the add-on, as its checkbox does."""
    artist.session.run(f"bpy.ops.preferences.addon_enable(module={ADDON!r})")
    artist.session.open_tab()
    artist.session.run("watch_panel()")


def test_the_add_on_can_be_disabled_and_enabled_again(artist: Artist) -> None:
    enabled = facts(artist)
    seconds = disable(artist)
    disabled = facts(artist)
    assert seconds < PATIENCE
    assert not [name for name in disabled["types"] if "image_to_mesh" in name.lower()]
    assert not disabled["scene"]
    assert sum(map(len, disabled["handlers"].values())) < sum(
        map(len, enabled["handlers"].values())
    )
    enable(artist)
    assert facts(artist) == enabled
    disable(artist)
    assert facts(artist) == disabled
    enable(artist)
    assert "Traceback" not in artist.session.output()


def test_the_add_on_can_be_disabled_during_a_job(artist: Artist, photograph: Path) -> None:
    before = facts(artist)
    artist.choose(photograph, face_count=1_000_000)
    artist.wait_for_picture()
    artist.press_generate()
    artist.session.wait_for("any((one['fraction'] or 0) > 0.1 for one in running_jobs())", 20)
    assert artist.workers()
    # So that the panel does not start to inspect the picture as soon as it is enabled again.
    artist.session.run("bpy.context.scene.image_to_mesh.image = None")
    seconds = disable(artist)
    ended = time.monotonic()
    while artist.workers():
        assert time.monotonic() < ended + PATIENCE, "the background Blender goes on"
    print(f"\ndisabled in {seconds:.2f} s, no process left after {time.monotonic() - ended:.2f} s")
    assert seconds < PATIENCE
    disabled = facts(artist)
    assert disabled["modal"] == []
    assert not disabled["timers"]
    assert disabled["threads"] == before["threads"]
    enable(artist)
    goes_on(artist)
    assert facts(artist) == before
    assert "Traceback" not in artist.session.output()


def goes_on(artist: Artist) -> None:
    """Wait until the interrupted job resumes by itself, and cancel it."""
    artist.session.wait_for("bool(running_jobs())", 20)
    artist.session.run("bpy.ops.image_to_mesh.cancel()")
    artist.session.wait_for("not running_jobs()")
    artist.session.run("dismiss_jobs()")
    artist.session.wait_for(f"not {WAKING}")


def test_a_new_job_works_after_enabling_again(artist: Artist, photograph: Path) -> None:
    artist.new_file()
    artist.choose(photograph, face_count=FACES)
    artist.press_generate()
    artist.wait_for_mesh(30)
    assert "Traceback" not in artist.session.output()


def test_a_job_that_ends_while_the_watcher_is_paused_is_imported(
    artist: Artist, photograph: Path
) -> None:
    artist.new_file()
    artist.session.run(
        f"watch = sys.modules['{ADDON}.app.watcher']\n"
        "usual = (watch.MODAL_FOR, watch.ASIDE_FOR)\n"
        "watch.MODAL_FOR, watch.ASIDE_FOR = 0.3, 8.0"
    )
    artist.choose(photograph, face_count=FACES)
    artist.press_generate()
    artist.session.wait_for("ended_jobs()", 20)
    assert artist.meshes() == [], "the watcher is aside"
    artist.wait_for_mesh(30)
    artist.session.run("watch.MODAL_FOR, watch.ASIDE_FOR = usual")
