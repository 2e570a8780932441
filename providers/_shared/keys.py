# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a provider: where they are set, whether they can be sent, and whether they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .credentials import KeyField, Secret, split_header
from .errors import BadKey, InvalidSettings, MissingKey
from .http.addresses import BadAddress, read_address
from .messages import Message, as_message

if TYPE_CHECKING:
    from .provider import Provider

UNENCRYPTED = "unencrypted_servers"
"""The preference with the servers to which secrets may be sent unencrypted, separated by spaces."""


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
    if not keys or address.scheme == "https" or address.is_loopback or may_send_plain(base, keys):
        return None
    from .http.verdicts import unencrypted_error  # not needed when Blender starts

    return unencrypted_error(address)


def may_send_plain(base: str, keys: Mapping[str, Secret]) -> bool:
    """Return whether the user agrees to send all secrets unencrypted to the server of a base URL.

    This computer needs no agreement, but what its name leads to is judged at the connection.
    """
    try:
        server = read_address(base).server
    except BadAddress:
        return False
    return all(server in key.plain_to for key in keys.values())


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
