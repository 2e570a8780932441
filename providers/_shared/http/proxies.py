# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that the environment or the system sets, and the error for an unusable one."""

from __future__ import annotations

import contextlib
from importlib.util import find_spec

from ..messages import Message, as_message
from .addresses import BadAddress, WebAddress, read_address
from .explain import CallProblem

SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class Misconfiguration(Exception):
    """A setting of this computer prevents calls. `setting` names the variable or preference.

    The hint is to check the setting, unless `hint` is given.
    """

    def __init__(self, message: str, setting: str, hint: str = "") -> None:
        super().__init__(message)
        reason = message.rstrip(".")
        hint = hint or Message("Check {variable}.", variable=as_message(setting))
        self.problem = CallProblem(message, hint, reason, lasting=True)


class Route:
    """The URL of the proxy for an address, "" without a proxy, and the variable that sets it."""

    def __init__(self, proxy: str, variable: str) -> None:
        self.proxy = proxy
        self.variable = variable

    @property
    def as_proxies(self) -> dict[str, str]:
        """The proxy in the form that requests expects; empty without a proxy."""
        return {"http": self.proxy, "https": self.proxy} if self.proxy else {}

    @property
    def address(self) -> WebAddress:
        """The proxy's host and port as an http URL, without user name and password.

        Raises BadAddress if the proxy is not a usable URL, or has an unknown scheme.
        """
        scheme, _, rest = self.proxy.rpartition("://")
        if scheme.lower() not in ("", *SCHEMES):
            raise BadAddress("it does not start with http://")
        return read_address(f"http://{rest.rpartition('@')[2]}")

    @property
    def shown(self) -> str:
        """Host and port of the proxy, for messages; "" without a proxy, “…” for an invalid one."""
        if not self.proxy:
            return ""
        with contextlib.suppress(BadAddress):
            return f"{self.address.host}:{self.address.port}"
        # Not the setting itself: it may contain the proxy's password.
        return "…"

    def check(self) -> None:
        """Raise Misconfiguration, which names the setting, for a proxy that cannot be used."""
        if not self.proxy:
            return
        try:
            self.address  # noqa: B018 - it raises
        except BadAddress as error:
            raise Misconfiguration(
                Message(
                    "The proxy address in {variable} cannot be used: {reason}.",
                    variable=as_message(self.variable),
                    reason=error.reason,
                ),
                self.variable,
            ) from error
        # For SOCKS, urllib3 needs PySocks, which is not bundled because few users need it.
        if self.proxy.lower().startswith("socks") and find_spec("socks") is None:
            raise Misconfiguration(
                Message(
                    "The proxy {proxy} uses SOCKS, which requires the Python package PySocks.",
                    proxy=self.shown,
                ),
                self.variable,
                Message(
                    "Install PySocks in Blender's Python, or set an HTTP proxy in {variable}.",
                    variable=as_message(self.variable),
                ),
            )
