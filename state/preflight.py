# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons why Generate cannot run, shared by the panel, the button's tooltip, and the operator."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr, translate
from ..providers import CONSENT_HINT, BadImage, MissingKey, Provider, Settings, settings_of
from ..providers._shared.untrusted_text import readable_name
from . import views
from .scene_properties import choices_of, provider_of, read_settings
from .server.kept import kept_settings, server_problem

OFFLINE = "Blender is offline"
VALID = 20.0
"""Seconds for which an error from reading an image counts: the user may have fixed the file since.
"""

ALLOW = "Click Not Encrypted to allow it."
"""What to do about a secret that would be sent unencrypted; that is below the provider menu."""

_unreadable: dict[Hashable, tuple[BadImage, float]] = {}
"""The error from the last image that could not be read, by its key, and its time; at most one."""
_renders = [0]
"""The number of renders so far, in a list so that functions can change it."""


def why_not(context: bpy.types.Context) -> str:
    """Return a sentence that says why Generate cannot run; empty if it can.

    Reads no file: an unreadable image file is discovered only when a job reads it.
    """
    return (
        image_problem(choices_of(context.scene).image)
        or why_not_at_all(context)
        or _views_problem(context)
    )


def why_not_at_all(context: bpy.types.Context) -> str:
    """Return why Generate cannot run with any image; empty if it can."""
    provider = provider_of(context.scene)
    return (
        _key_problem(context, provider)
        or _network_problem(context, provider)
        or _server_problem(context, provider)
        or _settings_problem(context, provider)
        or _model_problem(context, provider)
    )


def broken_settings(settings: Settings) -> dict[str, str]:
    """Return why the service or Blender would reject settings: a sentence for each, by name."""
    found = dict(settings.rules())
    for setting in settings_of(type(settings)):
        wanted = setting.min_blender
        is_changed = getattr(settings, setting.name) != setting.default
        if wanted and is_changed and bpy.app.version[:2] < wanted:
            # Only the importer of that Blender version reads the files that this choice produces.
            version = ".".join(map(str, wanted))
            found.setdefault(
                setting.name,
                tr("{}: requires Blender {} or newer").format(tr(setting.title), version),
            )
    return found


def settings_to_price(context: bpy.types.Context) -> Settings | None:
    """Return the scene's settings if the service can quote a price for them now, else None."""
    provider = provider_of(context.scene)
    # The base class's method means that the service cannot quote a price.
    if type(provider).quote is Provider.quote:
        return None
    if _key_problem(context, provider) or _network_problem(context, provider):
        return None
    settings = read_settings(context.scene, provider)
    return None if broken_settings(settings) else settings


def picture_key(image: bpy.types.Image) -> Hashable:
    """Return a key that changes with an image, as far as can be seen without reading it."""
    # The size stands for the bytes: hashing them would be too slow for a draw.
    packed = image.packed_file.size if image.packed_file else 0
    render = _renders[0] if image.source == "VIEWER" else 0
    return (image.session_uid, image.source, image.filepath, packed, image.is_dirty, render)


def image_problem(image: bpy.types.Image | None) -> str:
    """Return why an image cannot be used, or could not be read; empty if it can be used."""
    return picture_problem(image) or (unreadable_problem(image) if image else "")


def picture_problem(image: bpy.types.Image | None) -> str:
    """Return why an image cannot be used; empty if it can, as far as is known."""
    if image is None:
        return tr("Choose an image")
    shown = readable_name(image)
    if image.source == "MOVIE":
        return tr("“{}” is a movie: save one frame as an image").format(shown)
    if image.source == "TILED" and not (image.filepath or image.packed_files):
        return tr("The tiles of “{}” are not saved: save the image first").format(shown)
    if image.type == "MULTILAYER":
        return tr("“{}” has several layers: save one of them as an image").format(
            readable_name(image)
        )
    # A render that was never displayed has no data either; that is found out when it is read.
    if image.type == "COMPOSITING" and not image.has_data:
        return tr("“{}” is empty: render first").format(shown)
    if image.source == "FILE" and not (image.filepath or image.packed_file or image.has_data):
        return tr("“{}” has no file: open the image again").format(shown)
    return ""


def note_readable(image: bpy.types.Image, error: BadImage | None) -> None:
    """Record the result of the latest attempt to read an image; drop those for other images.

    `error` says why the image cannot be read, or is None if it can.
    """
    _unreadable.clear()
    if error is not None:
        _unreadable[picture_key(image)] = error, time.monotonic()


def note_render() -> None:
    """Record that something was rendered, which changes the images that show renders."""
    _renders[0] += 1


def unreadable_problem(image: bpy.types.Image) -> str:
    """Return why reading an image failed in the last VALID seconds; empty if it did not fail."""
    error, since = _unreadable.get(picture_key(image), (None, 0.0))
    is_valid = error is not None and time.monotonic() - since < VALID
    return translate(error.message, error.hint) if error and is_valid else ""


def _key_problem(context: bpy.types.Context, provider: Provider[Any]) -> str:
    error = preferences.key_problem(context, provider)
    if error is None:
        return ""
    # Only the reason: the button that adds or changes the key is right above the sentence.
    if isinstance(error, MissingKey) or any(field.kind == "header" for field in provider.keys):
        return translate(error.message).rstrip(".")
    return tr("The key has invalid characters")


def _network_problem(context: bpy.types.Context, provider: Provider[Any]) -> str:
    # First: the line below the provider menu has no Allow Online Access meanwhile.
    problem = preferences.address_problem(context, provider)
    if problem:
        hint = ALLOW if problem.hint == CONSENT_HINT else problem.hint
        return translate(problem.message, hint)
    if preferences.is_offline(context, provider):
        return tr(OFFLINE)
    return ""


def _server_problem(context: bpy.types.Context, provider: Provider[Any]) -> str:
    if not provider.has_server_settings:
        return ""
    kept = kept_settings(context.scene, provider)
    if not kept.settings:
        return ""
    key = provider.server_settings_key(read_settings(context.scene, provider))
    return translate(server_problem(kept, preferences.address(context, provider), key))


def _views_problem(context: bpy.types.Context) -> str:
    choices, provider = choices_of(context.scene), provider_of(context.scene)
    # The provider's views depend on all settings, which are read only if a view is foreign.
    if not views.foreign(choices):
        return ""
    return views.problem(choices, provider.views_for(read_settings(context.scene, provider)))


def _settings_problem(context: bpy.types.Context, provider: Provider[Any]) -> str:
    broken = broken_settings(read_settings(context.scene, provider))
    return translate(next(iter(broken.values()), ""))


def _model_problem(context: bpy.types.Context, provider: Provider[Any]) -> str:
    for name in provider.models_for(read_settings(context.scene, provider)):
        weights = jobs.find_weights(name)
        # Unknown before the first tick of the heartbeat; the worker refuses if it is missing.
        if jobs.weights_downloads().state(weights).is_there is False:
            return tr("{} is missing: download it in Settings").format(weights.title)
    return ""
