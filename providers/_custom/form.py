# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the settings that describe a server: its paths, extra fields, and extra headers.

The settings may come from a stranger's file. They can therefore neither name another server nor
contain a secret, and no header that would lead a call elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from .._shared.credentials import split_header
from .._shared.http.allowed_addresses import has_dot_segments
from .._shared.messages import Message

if TYPE_CHECKING:
    from ..custom import CustomSettings

ID = "{id}"
LONGEST = 4000
"""Maximum characters of an entry."""
PATH = re.compile(r"/(?!/)[!$-\[\]_`a-z|~]*")
"""A path with a query: printable ASCII without `"`, `#`, backslashes, `^`, and braces."""
FIELD = re.compile(r"[^\s\"\\\x00-\x1f\x7f]{1,100}")
"""The name of a form's field: a quotation mark or line break would end its header."""
SECRET = re.compile(
    r"auth|cookie|token|secret|key|pass|pwd|credential|session|signature", re.IGNORECASE
)
"""In the name of a header, a sign that its value is a secret."""
SECRET_WORD = re.compile(
    r"(api|access|auth|private|secret|user|subscription)?"
    r"(auth|authorization|authentication|bearer|cookies?|token|secret|key|pass(word|wd|phrase)?|pwd"
    r"|credentials?|session|signature)",
    re.IGNORECASE,
)
"""Such a sign as a whole word, since fields have names such as `max_tokens` and `keypoints`."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""A word of a name such as `api_key`, `Api-Key`, or `APIKey`."""
LEADING = re.compile(r"forwarded|proxy|origin|referer|rewrite|override|real-ip|via", re.IGNORECASE)
"""In the name of a header, a sign that a proxy may send the call elsewhere because of it."""
NOT_JSON = Message("This is not a JSON object, such as {example}.", example='{"seed": 42}')
SECRETS = "“{name}” looks like a secret. Enter secrets as HTTP Header in the add-on preferences."
SLASH = "A path begins with one slash, and contains no spaces, quotation marks, or “..”."


def problems_of(settings: CustomSettings) -> Iterator[tuple[str, str]]:
    """Yield (setting, sentence) for each setting that cannot be used."""
    if not _is_path(settings.path):
        yield "path", SLASH
    if settings.status_path not in ("", ID) and not _is_path(settings.status_path.replace(ID, "0")):
        yield "status_path", SLASH
    elif settings.status_path and settings.status_path.count(ID) != 1:
        yield "status_path", Message("Status Path contains {id} once.", id=ID)
    if settings.mesh_path and not _is_path(settings.mesh_path.replace(ID, "0")):
        yield "mesh_path", SLASH
    if settings.send_as != "body" and not FIELD.fullmatch(settings.image_field):
        yield "image_field", "A field has a name without spaces and quotation marks."
    for setting in ("path", "status_path", "mesh_path"):
        yield from _secrets_problem(setting, _query_names(getattr(settings, setting)))
    yield from _fields_problem(settings)
    yield from _headers_problem(settings)


def fields_of(settings: CustomSettings) -> dict[str, Any]:
    """Return the extra fields by name. Raises ValueError if they are not a JSON object."""
    return _read_object(settings.extra_fields)


def headers_of(text: str) -> dict[str, str]:
    """Return the extra headers by name.

    Raises ValueError, with a sentence, for text that is not a JSON object of headers, or has one
    that must not be sent.
    """
    headers = _read_object(text)
    for name, value in headers.items():
        if not isinstance(value, str):
            raise ValueError(NOT_JSON)
        # The add-on leaves open which type of answer it accepts; the user may not.
        known = "X-Accept" if name.lower() == "accept" else name
        split_header(f"{known}: {value}")
        if SECRET.search(name) or LEADING.search(name):  # guard: no-secrets-in-settings
            raise ValueError("not allowed")
    return headers


def as_texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return fields as a form has them. Raises ValueError for a list or an object as a value."""
    return {name: _as_text(value) for name, value in fields.items()}


def lookup(answer: object, dotted: str) -> Any:
    """Return the value at a place such as `data.files.0.url`; None if there is no value."""
    for name in dotted.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(name)
        elif isinstance(answer, list) and name.isascii() and name.isdigit() and len(name) < 6:
            answer = answer[int(name)] if int(name) < len(answer) else None
        else:
            return None
    return answer


def _is_path(text: str) -> bool:
    climbs = has_dot_segments(text)
    return len(text) <= LONGEST and bool(PATH.fullmatch(text)) and not climbs  # guard: paths-stay


def _fields_problem(settings: CustomSettings) -> Iterator[tuple[str, str]]:
    try:
        fields = fields_of(settings)
    except ValueError:
        yield "extra_fields", NOT_JSON
        return
    if settings.image_field in fields and settings.send_as != "body":
        yield "extra_fields", "The image is a field of its own."
    yield from _secrets_problem("extra_fields", _names_in(fields))
    if settings.send_as == "json":
        return
    try:
        as_texts(fields)
    except ValueError:
        yield "extra_fields", "Lists and objects can be sent in JSON only."


def _secrets_problem(setting: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if any(map(SECRET_WORD.fullmatch, WORD.findall(name))):  # guard: no-secrets-in-fields
            yield setting, Message(SECRETS, name=name)
            return


def _query_names(path: str) -> Iterator[str]:
    """Yield the names in a path's query, without those of the task's ID, which is no secret."""
    for part in re.split("[&;]", path.partition("?")[2]):
        name, _, value = part.partition("=")
        if value != ID:
            yield unquote_plus(name)


def _names_in(fields: object) -> Iterator[str]:
    """Yield the names of all fields, also within objects and lists."""
    remaining = [fields]
    while remaining:
        value = remaining.pop()
        if isinstance(value, dict):
            yield from value
            remaining += value.values()
        elif isinstance(value, list):
            remaining += value


def _headers_problem(settings: CustomSettings) -> Iterator[tuple[str, str]]:
    try:
        headers_of(settings.extra_headers)
    except ValueError:
        yield (
            "extra_headers",
            "These headers cannot be sent. Enter one with a secret in the add-on preferences.",
        )


def _read_object(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        found = json.loads(text) if text.strip() else {}
        json.dumps(found, allow_nan=False)  # no JSON has infinite numbers
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict) or not all(map(FIELD.fullmatch, found)):
        raise ValueError("not an object")
    return found


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)  # true and false, as most servers spell them
    raise ValueError("not a plain value")
