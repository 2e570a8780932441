# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out, after a failure at a user's own server, whether another provider can use it.

Users often enter the address of one server for another one, since several run at the same time. The
providers say by their ids which kinds of servers they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...providers import (
    BadReply,
    ImageToMeshError,
    InvalidSettings,
    Provider,
    Secret,
    Uncertain,
    Unreachable,
    all_providers,
)
from ..values import Failure

if TYPE_CHECKING:
    from ...providers._shared.http.client import Http

SIGNS = frozenset({Unreachable.kind, BadReply.kind, InvalidSettings.kind, Uncertain.kind})
"""Kinds of failures that another server in the place of the expected one causes."""


def with_other_provider(
    failure: Failure,
    provider: Provider[Any],
    keys: Mapping[str, Secret],
    base_url: str,
    *,
    online: bool,
) -> Failure:
    """Return a failure with the id of the provider that can use the server at an address.

    The server is asked for its public pages, each for at most five seconds. Returns the failure as
    it is unless the provider's server is the user's own, and of a kind that another one can use.
    """
    if not provider.self_hosted or failure.kind not in SIGNS:
        return failure
    from ..resources import open_http  # which imports this module

    http = open_http(provider, keys, base_url, online=online)
    try:
        other = _provider_for(http)
    except ImageToMeshError:  # an address that must not be called
        return failure
    finally:
        http.close()
    return failure if other == provider.id else replace(failure, provider=other)


def _provider_for(http: Http) -> str:
    """Return the id of the provider that can use the server; empty if no provider can."""
    from ...providers._shared.servers.probe import identify_server

    known = all_providers().get(identify_server(http).kind)
    return known.id if known is not None and known.self_hosted else ""
