# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's network connection and worker, which are opened when they are first needed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..providers import (
    Cancelled,
    ImageToMeshError,
    InvalidSettings,
    Message,
    NoBlender,
    Provider,
    Secret,
    Settings,
    may_send_plain,
    parts_to_hide,
    settings_of,
)
from ..providers._shared.redaction import redactor_for
from .abandonable_call import Call, Closed
from .process.pool import BackgroundBlender
from .tasks.other_server import with_other_provider
from .values import Failure, JobSpec

if TYPE_CHECKING:
    from ..providers._shared.http.client import Http

T = TypeVar("T")


class Resources:
    """One job's network connection and worker. Used by the job's thread alone.

    `check` may raise to end a call, and `sleep` waits some seconds before a call is repeated.
    """

    def __init__(
        self,
        spec: JobSpec,
        provider: Provider[Any],
        check: Callable[[], None],
        sleep: Callable[[float], None],
    ) -> None:
        self._spec = spec
        self._provider = provider
        self._check = check
        self._sleep = sleep
        # Also short parts of a header, which stay in answers, since these have to be parsed.
        quoted = (
            part
            for field in provider.keys
            if (key := spec.keys.get(field.preference))
            for part in parts_to_hide(field, key.reveal())
        )
        self._secrets = redactor_for(quoted, provider.headers(spec.keys))
        self._http: Http | None = None
        self._blender = BackgroundBlender(spec.blender) if spec.blender else None

    @property
    def http(self) -> Http | None:
        """The connection that sends the provider's keys; None if the provider needs no network."""
        if self._http is None and self._provider.is_remote:
            spec = self._spec
            self._http = open_http(
                self._provider, spec.keys, spec.base_url, online=spec.online, pause=self._sleep
            )
        return self._http

    def http_of(self, folder: Path) -> Http | None:
        """Return the connection, which keeps streams and later calls in a job's folder."""
        from .disk.transcript import JobTranscript

        if self.http is not None and self.http.transcript is None:
            self.http.transcript = JobTranscript(folder)
        return self.http

    @property
    def blender(self) -> BackgroundBlender:
        """The worker. Raises NoBlender if no Blender was found."""
        if self._blender is None:
            raise NoBlender(
                "No Blender was found for background tasks.",
                "Set the environment variable BLENDER to the path of Blender, or install the bpy "
                "module (“pip install bpy”).",
            )
        return self._blender

    def warm_up(self) -> None:
        """Start the worker early, while the service is working, if a Blender was found.

        A failed start is ignored.
        """
        if self._blender is not None:
            with contextlib.suppress(NoBlender):  # reported when it is needed, after the paid work
                self._blender.start()

    def check_blender(self, settings: Settings) -> None:
        """Start the worker if the provider needs it, and check that its version fits the settings.

        Raises NoBlender, or InvalidSettings for a setting that needs a newer Blender.
        """
        if "blender" in self._provider.needs:
            self.blender.start()
        for setting in settings_of(type(settings)):
            wanted = setting.min_blender
            # Every supported Blender can read the results of a setting's default value.
            if not wanted or getattr(settings, setting.name) == setting.default:
                continue
            found = self.blender.version(self._check)
            if found[:2] < wanted:
                raise InvalidSettings(
                    Message(
                        "“{setting}” requires Blender {wanted} or newer, but this is {found}.",
                        setting=Message.of(setting.title),
                        wanted=".".join(map(str, wanted[:2])),
                        found=".".join(map(str, found[:2])),
                    ),
                    Message("Reset “{setting}”.", setting=setting.name),
                )

    def call(self, call: Callable[[], T]) -> T:
        """Return the value of a call to the provider that costs nothing.

        The call runs on its own thread, and a cancel abandons it. For a provider that needs no
        network, it runs on this thread.
        """
        if self.http is None:
            return call()
        return Call(call).wait(self._check)

    def fetch(self, url: str) -> bytes:
        """Return the bytes of the image at a URL, downloaded without sending a key.

        Raises BadImage if the image cannot be downloaded, and Unreachable without a connection.
        """
        http = open_http(self._provider, None, "", online=self._spec.online, pause=self._sleep)
        try:
            return http.fetch(url, self._provider.limits.max_bytes, check=self._check)
        finally:
            http.close()

    def without_keys(self, text: str) -> str:
        """Return text with the keys redacted, so that it can be shown or logged."""
        return self._secrets.redact(text)  # guard: keys-in-failures

    def failure_of(self, error: ImageToMeshError) -> Failure:
        """Convert an error to a failure with the keys redacted.

        If another provider can use the user's own server, the failure names that provider.
        """
        failure = self._with_other_provider(
            Failure(error.kind, error.message, error.hint, error.link)
        )
        texts = {name: getattr(failure, name) for name in ("message", "hint", "link")}
        safe = {name: self.without_keys(text) for name, text in texts.items()}
        # Replaced only if needed: redacted text has lost its template, and cannot be translated.
        return failure if safe == texts else replace(failure, **safe)

    def _with_other_provider(self, failure: Failure) -> Failure:
        spec = self._spec
        if not self._provider.self_hosted:
            return failure

        def identify() -> Failure:
            return with_other_provider(
                failure, self._provider, spec.keys, spec.base_url, online=spec.online
            )

        # A job that was stopped meanwhile ends with the failure that it has.
        with contextlib.suppress(ImageToMeshError, Cancelled, Closed, RuntimeError):
            return Call(identify).wait(self._check)
        return failure

    def close(self) -> None:
        """Close the connection; the worker stays for the next job."""
        if self._http is not None:
            self._http.close()


def open_http(
    provider: Provider[Any],
    keys: Mapping[str, Secret] | None,
    base_url: str,
    *,
    online: bool,
    pause: Callable[[float], None] = time.sleep,
) -> Http:
    """Return a connection to the provider's service; if `keys` is None, it sends no key.

    `online`: False allows calls to this computer only. `pause` sleeps for a number of seconds
    between attempts, and may raise Cancelled.
    """
    from ..providers._shared.http.client import Http

    sent = keys or {}
    headers = provider.headers(sent) if keys is not None else {}
    if not provider.sends_keys_to(base_url):  # guard: keys-to-their-host
        headers = {}
    return Http(
        base_url,
        headers,
        secrets=[key.reveal() for key in sent.values()],
        online=online,
        self_hosted=provider.self_hosted,
        may_be_public=provider.may_be_public,
        plain_secrets=may_send_plain(base_url, sent),
        beside=provider.address.beside if provider.address else (),
        replaced=provider.address is not None and base_url != provider.address.default,
        pause=pause,
    )
