# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: puts the panels into a state, without waiting for jobs or services."""

from __future__ import annotations

import importlib
import itertools
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

_ADDON = "bl_ext.user_default.image_to_mesh"
_numbers = itertools.count()
_SUBPANELS = ("views", "settings", "placement", "cleanup", "jobs", "results")
_registered: list[Any] = []
_FOLDER = "/home/artist/.local/share/image_to_mesh"
"""What the preferences show as the library folder: the manual has no path of this computer."""


def part(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{_ADDON}.{name}")


def scene_choices() -> Any:
    """Return the scene's choices."""
    return bpy.context.scene.image_to_mesh


def stored_keys() -> Any:
    """Return the add-on's preferences."""
    return bpy.context.preferences.addons[_ADDON].preferences


def unfold(*names: str) -> None:
    """Open these subpanels and close the others, by registering them again: the only way."""
    for panel in _registered or part("panels.sidebar").classes[1:]:
        bpy.utils.unregister_class(panel)
    _registered.clear()
    number = next(_numbers)
    for name in (*_SUBPANELS, "care"):
        module = part("panels.mesh_edits" if name == "care" else "panels.sidebar")
        panel = getattr(module, f"IMAGE_TO_MESH_PT_{name}")
        if name == "care" and hasattr(bpy.types, panel.__name__):
            bpy.utils.unregister_class(panel)
        panel.bl_options = set() if name in names else {"DEFAULT_CLOSED"}
        panel.bl_idname = f"IMAGE_TO_MESH_PT_{name}_{number}"
        bpy.utils.register_class(panel)
        _registered.append(panel)


def reset() -> None:
    """Return to the empty panel: no image, no jobs, no key, nothing recovered."""
    session = part("jobs").session()
    for view in session.views():
        session.show(replace(view, state=part("jobs").State.CANCELLED))
        session.dismiss(view.job)
    session.queued = 0
    session.recovery.found = type(session.recovery.found)()
    part("state.updates.job_targets").forget()
    part("state.opened_jobs").forget()
    scene = scene_choices()
    scene.image = scene.view_left = scene.view_back = scene.view_right = None
    scene.provider = "local"
    part("panels.keys.preferences_page").default_library = lambda: _FOLDER
    stored_keys().tripo_api_key = stored_keys().tripo_base_url = ""
    stored_keys().scenario_api_key = stored_keys().scenario_api_secret = ""
    part("jobs").server_search()._threads = []
    part("jobs").mesh_edits()._cards.clear()
    part("state.preset_baseline").take_back(
        bpy.context.scene, part("providers").get_provider("local")
    )
    shelf = bpy.context.window_manager.image_to_mesh
    shelf.selected = shelf.text = shelf.notice = ""
    for obj in bpy.data.objects:
        obj.select_set(False)
        if "image_to_mesh_provider" in obj:
            obj["image_to_mesh_provider"] = "local"
    bpy.context.view_layer.objects.active = None
    unfold("jobs")


def choose(path: str, provider: str = "local") -> None:
    """Choose an image and a provider."""
    scene_choices().image = bpy.data.images.load(path, check_existing=True)
    scene_choices().provider = provider


def choose_disc() -> None:
    """Choose an image with two small dark subjects: every warning about subjects applies."""
    side = 256
    pixels = [1.0] * (side * side * 4)
    for y, x in itertools.product(range(side), repeat=2):
        for middle in (60, 180):
            if (x - middle) ** 2 + (y - 128) ** 2 < 20**2:
                pixels[4 * (y * side + x) : 4 * (y * side + x) + 3] = [0.05, 0.05, 0.08]
    image = bpy.data.images.new("discs", side, side)
    image.pixels.foreach_set(pixels)
    image.pack()
    scene_choices().image = image


def choose_text() -> None:
    """Choose a text file with the name of an image."""
    file = Path(bpy.app.tempdir) / "letter.png"
    file.write_text("Dear reader,\nthis is no image.\n", "utf-8")
    scene_choices().image = bpy.data.images.load(str(file))


def is_checked() -> bool:
    """Return whether the scene has no unchecked image."""
    image = scene_choices().image
    if image is None:
        return True
    report = part("jobs").image_checks().report(part("state.preflight").picture_key(image))
    return report is not None and not report.waiting


def is_answered() -> bool:
    """Return whether the scene's provider has settings of its server, or its server has none."""
    provider = part("providers").get_provider(scene_choices().provider)
    if not provider.has_server_settings:
        return True
    return bool(part("state.server.kept").kept_settings(bpy.context.scene, provider).settings)


def find_servers() -> None:
    """Let the search for servers on this computer have found two."""
    found = part("jobs.tasks.found_servers")
    search, message = part("jobs").server_search(), part("providers").Message
    address = "http://127.0.0.1:{}".format
    search._found = {
        8081: found.FoundServer(
            address(8081), "hunyuan3d", message("Hunyuan3D {version}", version="2.1")
        ),
        8188: found.FoundServer(address(8188), "", message.of("ComfyUI")),
    }
    search._threads = [threading.Thread()]  # a thread that was never started counts as ended


def put_report() -> None:
    """Let the active mesh have been checked, with defects, and with a print check."""
    obj = bpy.context.object
    card = {
        "points": len(obj.data.vertices), "triangles": 40012, "parts": 3, "uv_islands": 118,
        "holes": 2, "non_manifold_edges": 14, "inner_shells": 1, "flipped_faces": 220,
        "watertight": False, "size": [0.842, 0.311, 1.0],
        "textures": [{"name": "dahlia base color", "width": 2048, "height": 2048}],
        "print": {"printable": False, "thinnest": 0.42, "wall": 0.8, "size": [84.2, 31.1, 100.0]},
    }  # fmt: skip
    key = part("jobs").object_key(obj.session_uid)
    part("jobs").mesh_edits().put_card(key, str(obj.data.session_uid), card)


def show(state: str, *, failure: Any = None, record: Any = None, **changes: Any) -> None:
    """Add a job to the session."""
    jobs = part("jobs")
    plan = part("jobs.import_plan").ImportPlan(file=part("state.open_file").token())
    values: dict[str, Any] = {
        "job": f"20261120-dahlia-{next(_numbers):04x}", "provider": "local", "name": "dahlia",
        "state": jobs.State(state), "phase": "Generating", "fraction": 0.5,
        "started": time.monotonic() - 75, "plan": plan,
    }  # fmt: skip
    if failure is not None:
        failure = jobs.Failure(*failure)
    shown = {**values, **changes, "failure": failure}
    if record is not None:
        shown["record"] = record_of(shown["job"], provider=shown["provider"], **record)
    jobs.session().show(jobs.JobView(**shown))


def record_of(job: str, **changes: Any) -> Any:
    """Return the record of a job that is ready."""
    values: dict[str, Any] = {
        "id": job, "state": part("jobs").State.READY, "provider": "local", "name": "dahlia",
        "created": "2026-11-20T10:00:00+00:00", "mesh": "mesh.glb", "faces": 40012,
        "seconds": 3.21,
    }  # fmt: skip
    return part("jobs").Record(**{**values, **changes})


def recover(**kinds: Any) -> None:
    """Add recovered jobs to the session: `uncertain=dict(...)`, `unsent`, `waiting`, ..."""
    recovery = part("jobs").session().recovery
    found = {
        kind: (record_of(f"20261119-vase-{next(_numbers):04x}", **changes),)
        for kind, changes in kinds.items()
    }
    recovery.found = replace(recovery.found, **found)


def answer(
    provider: str, amount: float | None, unit: str, failure: Any = None, *, quote: bool = False
) -> None:
    """Set a service's balance, or its price for the scene's settings, as if it had answered."""
    queries = part("jobs").session().account_queries
    settings = part("state.preflight").settings_to_price(bpy.context) if quote else None
    asked = part("providers").get_provider(provider)
    query = part("preferences").account_query(bpy.context, asked, settings)
    reply = part("jobs").AccountAnswer(
        amount, unit, part("jobs").Failure(*failure) if failure else None
    )
    queries._answers[query] = reply


def is_asking(provider: str) -> bool:
    """Return whether a service is being asked for the balance, as after a key was entered."""
    reply = part("preferences").answer(bpy.context, part("providers").get_provider(provider))
    return reply is None or reply.waiting


def say(sentence: str, **values: Any) -> Any:
    """Return a text with values, as errors have it."""
    return part("providers").Message(sentence, **values)


def activate(name: str) -> None:
    """Select an object alone."""
    obj = bpy.data.objects[name]
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
