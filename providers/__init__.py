# SPDX-License-Identifier: GPL-3.0-or-later
"""Image-to-3D services, one file each. Nothing here imports bpy.

Each file in this folder without a leading underscore declares exactly one `Provider`, whose id is
the file's name without `.py`. Files and folders with a leading underscore are shared code.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._shared.credentials import parts_to_hide
from ._shared.errors import (
    BadImage,
    BadKey,
    BadMesh,
    BadReply,
    Banned,
    Cancelled,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    LibraryProblem,
    MissingKey,
    NoBlender,
    NoCredits,
    RateLimited,
    Rejected,
    Repeated,
    Sent,
    TimedOut,
    Uncertain,
    Unreachable,
    WrongModule,
    error_of_kind,
)
from ._shared.http.addresses import (
    CONSENT_HINT,
    BadAddress,
    is_https_address,
    is_loopback_address,
    read_address,
)
from ._shared.http.ca_bundle import ca_bundle_problem, set_ca_bundle
from ._shared.images import PictureLimits
from ._shared.keys import UNENCRYPTED, keys_for, may_send_plain, unencrypted_problem
from ._shared.lazy_names import lazy_names
from ._shared.messages import (
    Message,
    as_message,
    decode_message,
    encode_message,
    encode_templates,
    join_messages,
    os_reason,
    restore_message,
)
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    Cost,
    KeyField,
    Picture,
    Progress,
    Provider,
    Recipe,
    RemoteFile,
    Request,
    Result,
    Secret,
    Ticket,
    Uploaded,
)
from ._shared.settings import (
    Choice,
    Group,
    Option,
    Setting,
    Settings,
    changed_values,
    check_rules,
    settings_of,
    values_of,
)

if TYPE_CHECKING:
    from ._shared.bundled_modules import check_modules
    from ._shared.images import (
        Blank,
        blank_png,
        check_picture,
        clean_picture,
        copy_profile,
        read_picture_info,
    )
    from ._shared.images.values import PictureInfo

__all__ = [
    "CONSENT_HINT",
    "UNENCRYPTED",
    "Address",
    "BadAddress",
    "BadImage",
    "BadKey",
    "BadMesh",
    "BadReply",
    "Balance",
    "Banned",
    "Blank",
    "CancelOutcome",
    "Cancelled",
    "Choice",
    "Cost",
    "Expired",
    "Failed",
    "Group",
    "ImageToMeshError",
    "InvalidSettings",
    "KeyField",
    "LibraryProblem",
    "Message",
    "MissingKey",
    "NoBlender",
    "NoCredits",
    "Option",
    "Picture",
    "PictureInfo",
    "PictureLimits",
    "Progress",
    "Provider",
    "RateLimited",
    "Recipe",
    "Rejected",
    "RemoteFile",
    "Repeated",
    "Request",
    "Result",
    "Secret",
    "Sent",
    "Setting",
    "Settings",
    "Ticket",
    "TimedOut",
    "Uncertain",
    "Unreachable",
    "Uploaded",
    "WrongModule",
    "all_providers",
    "as_message",
    "base_url",
    "blank_png",
    "ca_bundle_problem",
    "changed_values",
    "check_modules",
    "check_picture",
    "check_rules",
    "clean_picture",
    "copy_profile",
    "decode_message",
    "encode_message",
    "encode_templates",
    "error_of_kind",
    "get_provider",
    "is_https_address",
    "is_loopback_address",
    "join_messages",
    "keys_for",
    "may_send_plain",
    "os_reason",
    "parts_to_hide",
    "read_address",
    "read_picture_info",
    "restore_message",
    "set_ca_bundle",
    "settings_of",
    "unencrypted_problem",
    "values_of",
]

_HOMES = {
    "_shared.bundled_modules": ("check_modules",),
    "_shared.images.blank": ("Blank", "blank_png"),
    "_shared.images.formats": (
        "check_picture",
        "clean_picture",
        "copy_profile",
        "read_picture_info",
    ),
    "_shared.images.values": ("PictureInfo",),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)

FIRST = "local"
"""The provider that is listed first, because it works without an account."""


@functools.cache
def all_providers() -> Mapping[str, Provider[Any]]:
    """Return all providers by id: `local` first, then the others in alphabetical order.

    The first call imports the provider files. Raises TypeError if one declares no valid Provider.
    """
    names = [file.stem for folder in __path__ for file in Path(folder).glob("[!_]*.py")]
    ordered = sorted(names, key=lambda name: (name != FIRST, name))
    return {name: _load(name) for name in ordered}


def get_provider(provider: str) -> Provider[Any]:
    """Return the provider with this id. Raises InvalidSettings if it does not exist."""
    found = all_providers().get(provider)
    if found is None:
        known = ", ".join(all_providers())
        raise InvalidSettings(
            Message("There is no provider “{provider}”.", provider=provider),
            Message("Known providers: {known}.", known=known),
        )
    return found


def base_url(
    provider: Provider[Any], preferences: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    """Return the service's base URL without trailing slashes; empty for a provider without one.

    The preference takes precedence over the environment variable, and both over the default.
    Raises InvalidSettings for a URL that is invalid or must not be called; the error names the
    preference or variable that contains it.
    """
    if provider.address is None:
        return ""
    address = provider.address
    chosen = preferences.get(address.preference, "").strip()
    source: str = Message("{name} Address in the preferences", name=provider.label)
    if not chosen:
        chosen, source = environment.get(address.environment, "").strip(), address.environment
    if chosen:
        chosen = provider.full_address(chosen)
        provider.check_address(chosen, source)
    return (chosen or address.default).rstrip("/")


def _load(name: str) -> Provider[Any]:
    module = importlib.import_module(f"{__name__}.{name}")
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Provider)
        # Without the classes that the file imports, such as a base class of several services.
        and value.__module__ == module.__name__
    ]
    if len(classes) != 1 or classes[0].id != name:
        raise TypeError(f"providers/{name}.py must declare one Provider with the id {name!r}")
    settings_of(classes[0].settings)  # Raises TypeError for a bad declaration.
    return classes[0]()
