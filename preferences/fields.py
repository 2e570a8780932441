# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties of the add-on's preferences; those for services are built from the providers.

Blender stores preferences by the names of their properties, so a name is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty

from ..i18n.translate import label
from ..providers import UNENCRYPTED, Provider, all_providers

Update = Callable[[Any, bpy.types.Context], None]

SHOWN = "Show the image and progress of a job where its mesh will be placed"
SHOW_KEY = "Show the API key for this service"
KEY = "Stored in your preferences; if empty, the environment variable {variable} is used"
HEADER = (
    "Header that a proxy in front of your server requires, such as “Authorization: Basic …”; "
    "stored in your preferences; if empty, the environment variable {variable} is used"
)
SHOW_SERVER = "Show the address of this server"
USUAL_LIMIT = 100.0
"""Size limit of the library, in GB, when it is first turned on."""


class Updates(NamedTuple):
    """The functions that Blender calls after a preference has changed.

    `key` returns the function for a key, by the name of its preference. `address` is for service
    addresses, `bundle` for the certificate bundle.
    """

    key: Callable[[str], Update]
    address: Update
    bundle: Update


def path_arguments() -> dict[str, Any]:
    """Return the arguments that make a string property one for the path of a file.

    Since 4.5, Blender accepts a path relative to the .blend file only if the property says so.
    """
    is_needed = bpy.app.version >= (4, 5, 0)
    options = {"PATH_SUPPORTS_BLEND_RELATIVE"} if is_needed else set()
    return {"subtype": "FILE_PATH", "options": options}


def all_fields(updates: Updates) -> dict[str, Any]:
    """Return the properties by name, to become the annotations of the preferences class."""
    found = {**_library_fields(), **_other_fields(updates)}
    for provider in all_providers().values():
        for name, declared in _fields(provider, updates):
            found.setdefault(name, declared)  # providers may share a key
    return found


def _library_fields() -> dict[str, Any]:
    return {
        "library": StringProperty(
            name="Library Folder",
            description="Folder for jobs, images, and meshes; if empty, the user data folder",
            subtype="DIR_PATH",
        ),
        "use_library_limit": BoolProperty(
            name="Limit",
            description="Limit the size of the library",
            get=_is_limited,
            set=_set_limited,
        ),
        "library_limit": FloatProperty(
            name="Library Limit",
            description=(
                "When the library exceeds this size (GB), move the oldest imported jobs to the "
                "trash (0 = no limit)"
            ),
            min=0.0,
            soft_max=1000.0,
            precision=1,
            step=100,
        ),
        # Shown while there is no limit; it cannot be changed.
        "library_usual_limit": FloatProperty(
            name="Library Limit",
            description="Limit of the library, in GB, once it is turned on",
            precision=1,
            get=lambda _: USUAL_LIMIT,
        ),
    }


def _other_fields(updates: Updates) -> dict[str, Any]:
    return {
        "certificates": StringProperty(
            name="Certificate Bundle",
            description=(
                "Custom CA certificates (PEM) used instead of the default ones, for networks that "
                "inspect connections; the environment variable REQUESTS_CA_BUNDLE takes "
                "precedence"
            ),
            subtype="FILE_PATH",
            update=updates.bundle,
        ),
        "frame_new": BoolProperty(
            name="Frame New Meshes",
            description="Move the viewport to a new mesh if no visible viewport shows it",
            default=True,
        ),
        "show_placeholders": BoolProperty(
            name="Show Placeholders", description=SHOWN, default=True
        ),
        "show_addresses": BoolProperty(
            name="Advanced",
            description="Show the services' addresses and the certificate bundle, for gateways, "
            "self-hosted servers, and company networks",
        ),
        # Each holds a JSON object. The names of 0.1.0 stay: Blender stores preferences by name.
        "import_defaults": StringProperty(options={"HIDDEN"}),
        "turns": StringProperty(options={"HIDDEN"}),
        "confirmed_places": StringProperty(options={"HIDDEN"}),
        # Scheme, host and port of servers, separated by spaces.
        UNENCRYPTED: StringProperty(options={"HIDDEN"}, update=updates.address),
    }


def _fields(provider: Provider[Any], updates: Updates) -> Iterator[tuple[str, Any]]:
    if provider.keys:
        # The recommended service is open, so that the first key has a place to go.
        first = BoolProperty(
            name=provider.label,
            description=SHOW_SERVER if provider.self_hosted else SHOW_KEY,
            default=provider.rank == 1,
        )
        yield shown_name(provider), first
    for field in provider.keys:
        yield (
            field.preference,
            StringProperty(
                name=field.title,
                description=label(
                    HEADER if field.kind == "header" else KEY, variable=field.environment
                ),
                subtype="PASSWORD",
                update=updates.key(field.preference),
            ),
        )
    if provider.address:
        default, variable = provider.address.default, provider.address.environment
        yield (
            provider.address.preference,
            StringProperty(
                name=label("{provider} Address", provider=provider.label),
                description=label(
                    "If empty, the environment variable {variable} is used, or {address} if that "
                    "is not set",
                    address=default,
                    variable=variable,
                ),
                update=updates.address,
            ),
        )


def shown_name(provider: Provider[Any]) -> str:
    """Return the name of the preference that says whether a service's rows are expanded.

    The service must have a key.
    """
    return f"show_{provider.keys[0].preference}"


def _is_limited(stored: Any) -> bool:
    return bool(stored.library_limit > 0.0)


def _set_limited(stored: Any, wanted: bool) -> None:
    if wanted != _is_limited(stored):
        stored.library_limit = USUAL_LIMIT if wanted else 0.0
