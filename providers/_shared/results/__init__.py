# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a task that succeeded: files to download, or a recipe for the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..errors import BadMesh
from ..exact_ids import require_exact
from ..untrusted_text import clean, clean_json

JSON = Any


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A result file, which is downloaded without the API key.

    `format` is its file extension without the dot, None if unknown. For a mesh that came with the
    ticket, `url` is empty, and `file` is its name in `Ticket.files`. A `url` that begins with a
    slash is a path at the service, called with the API key. If `field` is set, `url` is such a
    path, and the field of its JSON has the file in base64.
    """

    url: str
    role: Literal["mesh", "preview"] = "mesh"
    format: str | None = None
    file: str | None = None
    field: str | None = None


class Recipe(NamedTuple):
    """A mesh to generate in the worker process: the name of a generator, and its settings."""

    name: str
    settings: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a task that succeeded: files to download, or a recipe to run.

    `credits` is the amount charged, in the service's unit; None if unknown. `facts`, such as seeds
    and request ids, are saved in `job.json`; `notes` are shown to the user. Text in both is
    cleaned. Raises BadMesh for a URL that cannot be requested unchanged.
    """

    files: tuple[RemoteFile, ...] = ()
    recipe: Recipe | None = None
    credits: float | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for file in self.files:
            require_exact(file.url, "address", BadMesh)
        object.__setattr__(self, "facts", clean_json(self.facts))
        object.__setattr__(self, "notes", tuple(clean(note) for note in self.notes))
