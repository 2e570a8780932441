# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the manual's pages are: they come with the add-on, so they are those of this version."""

from __future__ import annotations

from pathlib import Path

FOLDER = f"{(Path(__file__).parent.parent / 'docs').as_uri()}/"
MANUAL = f"{FOLDER}index.md"

RESULTS = ("import_", "delete", "cancel", "resume", "replace", "bring_back", "reuse", "select_made",
           "show_folder", "dismiss", "turn_page", "clean_up")  # fmt: skip
CARE = ("health_card", "clean_mesh", "decimate", "quad_remesh", "detail_levels", "print_check",
        "stop_care", "bring_version")  # fmt: skip

PAGES = (
    ("bpy.ops.image_to_mesh.make_here*", "pictures.md"),
    ("bpy.ops.image_to_mesh.paste*", "pictures.md"),
    ("bpy.ops.image_to_mesh.use_*", "pictures.md"),
    ("bpy.ops.image_to_mesh.develop*", "pictures.md"),
    ("bpy.ops.image_to_mesh.preset_add*", "settings.md"),
    ("bpy.ops.image_to_mesh.reset_settings*", "settings.md"),
    *((f"bpy.ops.image_to_mesh.{name}*", "results.md") for name in RESULTS),
    *((f"bpy.ops.image_to_mesh.{name}*", "care.md") for name in CARE),
    ("bpy.ops.image_to_mesh.settle*", "troubleshooting.md"),
    ("bpy.ops.image_to_mesh.test_key*", "services.md"),
    ("bpy.ops.image_to_mesh.save_diagnostics*", "troubleshooting.md"),
    ("bpy.ops.image_to_mesh.*", "index.md"),
    ("bpy.types.image_to_mesh_pg_care*", "care.md"),
    ("bpy.types.image_to_mesh_pg_shelf*", "results.md"),
    ("bpy.types.image_to_mesh_pg_*", "settings.md"),
    ("bpy.types.image_to_mesh_preferences*", "services.md"),
)
"""Patterns of what the pointer is over, and the page that tells of it; the first that fits."""


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what Blender's Online Manual asks add-ons for."""
    return FOLDER, PAGES
