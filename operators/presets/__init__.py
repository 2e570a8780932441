# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of a provider's settings, in Blender's own preset system, and resetting settings.

The bundled folder `presets/` holds Draft, Game Asset, Hero, and Print for each provider; the user's
presets are in Blender's own folder. A file holds only what differs from the defaults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bpy.props import StringProperty

from ...i18n.translate import tr
from ...providers import Provider, settings_of
from ...state.preset_baseline import baseline_of, keep_baseline, take_back
from ...state.scene_properties import (
    choices_of,
    property_name,
    provider_of,
    switch_name,
    write_settings,
)
from ...state.server.kept import kept_settings
from ...state.subject_box import ENDS, box_of, set_box
from ..arguments import HIDDEN, argument
from . import exchange
from .preset_file import describe_preset

FOLDER = Path(__file__).parents[2] / "presets"


def _folder(provider: Provider[Any]) -> str:
    return f"image_to_mesh/{provider.id}"


def draw_actions(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the menu entries that save a preset, delete the chosen one, and reset all settings."""
    # Menus execute operators at once; the dialog for the name opens only on invoke.
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator("image_to_mesh.preset_add", text="Save as Preset...", icon="ADD")
    preset = baseline_of(context.scene, provider_of(context.scene)).preset
    if preset:
        button = layout.operator("image_to_mesh.preset_add", text="Delete Preset", icon="REMOVE")
        button.name, button.remove_name = preset, True
    layout.operator("image_to_mesh.reset_settings", text="Reset to Defaults", icon="LOOP_BACK")
    layout.separator()
    layout.operator("image_to_mesh.import_settings", icon="IMPORT")
    layout.operator("image_to_mesh.export_settings", icon="EXPORT")


class IMAGE_TO_MESH_MT_presets(bpy.types.Menu):
    """The menu of the current provider's presets"""

    bl_idname = "IMAGE_TO_MESH_MT_presets"
    bl_label = "Presets"
    preset_operator = "image_to_mesh.apply_preset"  # Blender's own has the same tooltip for all

    # Properties, because Blender reads attributes and the scene's provider may change.
    @property
    def preset_subdir(self) -> str:
        """The folder, below Blender's preset folders, of the current provider's presets."""
        return _folder(provider_of(bpy.context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        bpy.types.Menu.draw_preset(self, context)
        self.layout.separator()
        draw_actions(self.layout, context)

    @staticmethod
    def reset_cb(context: bpy.types.Context, _filepath: str) -> None:
        """Reset all settings except the box before a preset is applied.

        A preset holds only what differs from the defaults.
        """
        provider, chosen = provider_of(context.scene), choices_of(context.scene)
        box = box_of(chosen)
        write_settings(context.scene, provider, provider.settings())
        # The box belongs to the image, not to the preset.
        set_box(chosen, box)

    @staticmethod
    def post_cb(context: bpy.types.Context, filepath: str) -> None:
        """Make the applied preset the baseline, and reset the menu's label."""
        name = bpy.path.display_name(Path(filepath).name, title_case=False)
        keep_baseline(context.scene, provider_of(context.scene), name)
        # Blender renames the menu after the choice, for all scenes; the panel shows it per scene.
        IMAGE_TO_MESH_MT_presets.bl_label = "Presets"


class IMAGE_TO_MESH_OT_apply_preset(bpy.types.Operator):
    """Apply a preset, with a tooltip that lists what the preset changes."""

    bl_idname = "image_to_mesh.apply_preset"
    bl_label = "Apply Preset"
    bl_description = "Apply the settings of a preset"
    bl_options = {"UNDO", "INTERNAL"}

    filepath: StringProperty(
        name="File", description="File of the preset", subtype="FILE_PATH", options=HIDDEN
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """Return the tooltip: the values that the preset changes, a line for each."""
        return describe_preset(Path(properties.filepath), provider_of(context.scene))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        menu = IMAGE_TO_MESH_MT_presets.bl_idname
        try:
            bpy.ops.script.execute_preset(filepath=self.filepath, menu_idname=menu)
        except RuntimeError as error:  # what the preset's own code raised
            reason = str(error).strip().removeprefix("Error: ")
            self.report({"ERROR"}, tr("The preset cannot be applied: {}").format(reason))
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_preset_add(AddPresetBase, bpy.types.Operator):
    """Save the settings as a preset, or remove a preset."""

    bl_idname = "image_to_mesh.preset_add"
    bl_label = "Add Preset"
    bl_description = "Save the settings as a preset for this provider, or remove the preset"
    preset_menu = "IMAGE_TO_MESH_MT_presets"

    @property
    def preset_subdir(self) -> str:
        """The folder in which Blender saves the preset."""
        return _folder(provider_of(bpy.context.scene))

    @property
    def preset_defines(self) -> list[str]:
        """The first lines of the preset's file."""
        return [f"settings = bpy.context.scene.image_to_mesh.{provider_of(bpy.context.scene).id}"]

    @property
    def preset_values(self) -> list[str]:
        """The property paths that the preset's file sets."""
        names: list[str] = []
        for setting in settings_of(provider_of(bpy.context.scene).settings):
            if setting.name in ENDS:
                continue
            if setting.optional:
                names.append(switch_name(setting.name))
            names.append(property_name(setting.name))
        return [f"settings.{name}" for name in names]

    def remove(self, context: bpy.types.Context, filepath: str) -> None:
        """Delete a user's preset.

        A bundled preset stays, since an update would bring it back: warn instead.
        """
        if Path(filepath).resolve().is_relative_to(FOLDER.resolve()):
            self.report({"WARNING"}, "Unable to remove default presets")
        else:
            Path(filepath).unlink()

    def post_cb(self, context: bpy.types.Context, filepath: str = "") -> None:
        """Make the new preset the baseline or, if a preset was removed, the defaults."""
        removed = self.remove_name or self.remove_active
        keep_baseline(context.scene, provider_of(context.scene), "" if removed else self.name)


class IMAGE_TO_MESH_OT_reset_settings(bpy.types.Operator):
    """Reset one setting to the preset, or all settings to the defaults."""

    bl_idname = "image_to_mesh.reset_settings"
    bl_label = "Reset"
    bl_options = {"REGISTER", "UNDO"}

    setting: argument(
        "Setting", "Setting to reset to the preset; if empty, all are reset to their defaults"
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        """Return the tooltip: what a button with these properties resets, and to what."""
        if not properties.setting:
            return tr("Reset all settings of this provider to their defaults")
        preset = baseline_of(context.scene, provider_of(context.scene)).preset
        return (
            tr("Reset to the preset “{}”").format(tr(preset))
            if preset
            else tr("Reset to the default")
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        provider = provider_of(context.scene)
        if not self.setting:
            keep_baseline(context.scene, provider, "")
        known = {setting.name for setting in settings_of(provider.settings)}
        known |= kept_settings(context.scene, provider).settings.keys()
        if self.setting and self.setting not in known:
            self.report(
                {"ERROR"}, tr("{} has no setting “{}”").format(provider.label, self.setting)
            )
            return {"CANCELLED"}
        take_back(context.scene, provider, *filter(None, [self.setting]))
        return {"FINISHED"}


classes = (
    IMAGE_TO_MESH_MT_presets,
    IMAGE_TO_MESH_OT_apply_preset,
    IMAGE_TO_MESH_OT_preset_add,
    IMAGE_TO_MESH_OT_reset_settings,
    *exchange.classes,
)


def register() -> None:
    """Add the bundled presets to Blender's preset search path."""
    # The parent: Blender looks for a folder named “presets” in each of its search paths.
    bpy.utils.register_preset_path(str(FOLDER.parent))


def unregister() -> None:
    """Remove the bundled presets from the search path."""
    bpy.utils.unregister_preset_path(str(FOLDER.parent))
