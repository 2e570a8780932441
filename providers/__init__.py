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

from ._shared.credentials import parts_to_hide, split_header
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

UNENCRYPTED = "unencrypted_servers"
"""The preference with the servers to which secrets may be sent unencrypted, separated by spaces."""
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


def keys_for(
    provider: Provider[Any], preferences: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Secret]:
    """Return the provider's keys, by the names of their preferences.

    A preference takes precedence over the environment variable. Optional keys may be missing.
    Raises MissingKey for any other key that is not set, and BadKey for one that cannot be sent.
    """
    keys: dict[str, Secret] = {}
    agreed = preferences.get(UNENCRYPTED, "").split()
    for field in provider.keys:
        own = preferences.get(field.preference, "").strip()
        value = own or environment.get(field.environment, "").strip()
        if not value and field.optional:
            continue
        if not value:
            raise MissingKey(
                Message("{provider} needs an API key.", provider=provider.label),
                Message(
                    "Set {field} in the add-on preferences, or the environment variable "
                    "{environment}.",
                    field=as_message(field.title),
                    environment=field.environment,
                ),
                provider.key_url,
            )
        _check_key(value, provider, field)
        keys[field.preference] = Secret(value, agreed)
    return keys


def unencrypted_problem(base: str, keys: Mapping[str, Secret]) -> InvalidSettings | None:
    """Return the error for secrets that would be sent unencrypted to a base URL.

    Returns None if there are no secrets, if they are sent encrypted or not beyond this computer, or
    if the user agrees to that; also for a URL that is not valid, which is never called.
    """
    try:
        address = read_address(base)
    except BadAddress:
        return None
    if not keys or address.scheme == "https" or address.is_loopback:
        return None
    if all(address.server in key.plain_to for key in keys.values()):
        return None
    from ._shared.http.verdicts import unencrypted_error  # not needed when Blender starts

    return unencrypted_error(address)


def _check_key(value: str, provider: Provider[Any], field: KeyField) -> None:
    """Raise BadKey for a key with spaces or non-ASCII or control characters, or a bad header.

    The message names `field` and `provider`.
    """
    if field.kind == "header":
        return _check_header(value, provider, field)
    if not all("!" <= character <= "~" for character in value):
        raise BadKey(
            Message(
                "The {field} for {provider} contains invalid characters.",
                field=as_message(field.title),
                provider=provider.label,
            ),
            "Paste it again, without spaces or line breaks.",
            provider.key_url,
        )
    return None


def _check_header(value: str, provider: Provider[Any], field: KeyField) -> None:
    try:
        split_header(value)
    except ValueError as error:
        message = Message(
            "The {field} for {provider} is not a header that can be sent.",
            field=as_message(field.title),
            provider=provider.label,
        )
        hint = "Enter a name and a value, for example “Authorization: Basic …”."
        raise BadKey(message, hint) from error


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
