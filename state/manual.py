# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the manual's pages, for the Manual buttons and Blender's right-click menu.

An installed add-on has the pages of its own version in manual/. A checkout has none: there the same
links open the Markdown sources in docs/, in the program that the system has for them.
"""

from __future__ import annotations

from pathlib import Path

from ..providers import all_providers

ADDRESS = ""
"""Address at which the built pages are hosted; if empty, local files are used. It is set in
pyproject.toml, and tools/addresses.py writes it here."""

_ROOT = Path(__file__).parent.parent
_IS_BUILT = (_ROOT / "manual" / "index.html").is_file()
FOLDER = ADDRESS or f"{(_ROOT / ('manual' if _IS_BUILT else 'docs')).as_uri()}/"

_OF_SERVER = "settings#settings-of-a-server"
_OPERATORS = {
    "images#adding-an-image": ("paste", "use_image", "use_render", "use_view", "use_selected",
                               "leave_reference", "use_address", "open_image", "use_sample"),
    "images#several-images": ("make_here", "clear_queue"),
    "images#side-views": ("keep_views", "clear_views"),
    "images#mark-the-subject": ("mark_subject", "clear_subject"),
    "images#crop-and-remove-the-background": ("develop", "use_original"),
    "settings#presets": ("apply_preset", "preset_add", "reset_settings", "export_settings",
                         "import_settings"),
    _OF_SERVER: ("get_settings", "describe_setting", "test_server"),
    "settings#defaults-for-new-scenes": ("keep_defaults", "forget_defaults"),
    "settings#placement": ("turn",),
    "results#running-jobs": ("cancel", "watch", "show_details"),
    "results#where-meshes-are-placed": ("show_texture", "frame_results"),
    "results#placeholders": ("place_at_cursor", "place_by_click"),
    "results#importing-results": ("import_result", "turn_page", "reuse", "show_folder", "delete",
                                  "delete_result", "undo_delete", "select_result", "star_result",
                                  "rename_result", "show_all_results", "open_asset_browser"),
    "results#objects-and-their-jobs": ("select_made",),
    "results#updating-a-mesh": ("update",),
    "results#replacing-an-object": ("replace", "bring_back"),
    "results#the-library": ("clean_up", "add_asset_library"),
    "results#shared-libraries": ("trust_library",),
    "results#after-restarting-blender": ("import_arrivals", "dismiss_arrivals", "resume"),
    "results#errors": ("dismiss", "copy_error"),
    "cleanup#check-mesh": ("health_card",),
    "cleanup#clean-mesh": ("clean_mesh",),
    "cleanup#reduce-faces": ("decimate",),
    "cleanup#quad-remesh": ("quad_remesh",),
    "cleanup#levels-of-detail": ("detail_levels",),
    "cleanup#3d-print-check": ("print_check",),
    "cleanup#which-meshes": ("take_edit", "stop_care"),
    "cleanup#versions": ("bring_version", "library_versions", "forget_versions"),
    "service-local#the-depth-model": ("get_depth_model", "depth_model_from_file",
                                      "cancel_depth_model"),
    "services#api-keys": ("test_key", "open_preferences"),
    "services#your-own-servers": ("send_unencrypted", "find_servers", "use_server"),
    "services#online-access": ("allow_online",),
    "troubleshooting#uncertain-job-uncertain": ("settle",),
    "troubleshooting#reporting-a-bug": ("save_diagnostics",),
    "index#your-first-mesh": ("generate",),
}  # fmt: skip
_PROPERTIES = {
    "images#side-views": ("pg_scene.view_*",),
    "images#adding-an-image": ("pg_scene.image",),
    "services#providers": ("pg_scene.provider",),
    "service-local#live-preview": ("pg_scene.live_preview",),
    "settings#placement": ("pg_placement.*",),
    "settings#cleanup-on-import": ("pg_mending.*",),
    "cleanup#3d-print-check": ("pg_care.print_height", "pg_care.wall"),
    "cleanup#levels-of-detail": ("pg_care.levels",),
    "cleanup#reduce-faces": ("pg_care.faces",),
    "cleanup#clean-mesh": ("pg_care.*",),
    "results#importing-results": ("pg_shelf.*",),
    "results#where-meshes-are-placed": ("preferences.frame_new",),
    "results#the-library": ("preferences.library*", "preferences.use_library_limit"),
    "results#placeholders": ("preferences.show_placeholders",),
    "services#addresses-and-certificates": ("preferences.*_base_url", "preferences.certificates",
                                            "preferences.show_addresses"),
    "services#api-keys": ("preferences.*_api_key", "preferences.*_api_secret"),
    "services#your-own-servers": ("preferences.*_header", "preferences.*_token"),
}  # fmt: skip
# These come last, because the first match counts and they match almost everything.
_OTHERS = (
    ("bpy.ops.image_to_mesh.*", "index"),
    ("bpy.types.image_to_mesh_pg_*", "settings"),
    ("bpy.types.image_to_mesh_preferences*", "services"),
)


def page_address(target: str) -> str:
    """Return the address of a target, `page` or `page#heading`, relative to FOLDER.

    Windows and some Linux desktops drop the heading from a file's address. The built pages have a
    small file for each heading, which redirects the browser to it.
    """
    page, _, heading = target.partition("#")
    if not ADDRESS and not _IS_BUILT:
        return f"{page}.md"
    if not heading:
        return f"{page}.html"
    return f"{page}.html#{heading}" if ADDRESS else f"go/{page}.{heading}.html"


MANUAL = f"{FOLDER}{page_address('index')}"


def targets() -> list[tuple[str, str]]:
    """Return (pattern of RNA names, target) pairs; the first match counts."""
    known = all_providers().values()
    settings = (
        (f"bpy.types.image_to_mesh_pg_{provider.id}.*", f"{provider.manual_page}#settings")
        for provider in known
    )
    has_rows = any(provider.has_server_settings for provider in known)
    rows = [("bpy.types.image_to_mesh_pg_server_row.*", _OF_SERVER)] if has_rows else []
    return [
        *((f"bpy.ops.image_to_mesh.{name}", target)
          for target, names in _OPERATORS.items() for name in names),
        *((f"bpy.types.image_to_mesh_{name}", target)
          for target, names in _PROPERTIES.items() for name in names),
        *rows,
        *settings,
        *_OTHERS,
    ]  # fmt: skip


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the map for `bpy.utils.register_manual_map`.

    It consists of the base address, and of (pattern of RNA names, page) pairs.
    """
    return FOLDER, tuple((pattern, page_address(target)) for pattern, target in targets())
