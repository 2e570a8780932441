# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a mesh edit: the request, and the edit's state as panels show it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...providers import Message
from ..library.file_names import ORIGINAL
from ..values import Failure

REPORTS = frozenset({"card", "print"})
"""Tasks that only report on a model, and make no new version."""
WRITTEN, RESULT = "scene.blend", "result.blend"
"""Files in the folder of an edit of the scene's meshes: the worker's input and its output."""


@dataclass(frozen=True, slots=True)
class SceneMeshes:
    """Meshes of the scene that were written to a file for the worker.

    `folder` contains that file and, later, the worker's result. `objects` has the `session_uid` of
    each object. `items` has the name and transform of each mesh in the file. `to_model` has the
    rows of the matrix that transforms the first mesh to its job's model; it is empty without such a
    model.
    """

    folder: Path
    objects: tuple[int, ...]
    items: tuple[Mapping[str, Any], ...]
    to_model: tuple[tuple[float, ...], ...] = ()

    def discard(self) -> None:
        """Delete the folder with the files. Errors are ignored."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """A request to edit meshes of the scene, or one version of a job's model.

    `task` is the worker's name for the edit, and `asked` has its options. `folder` is the job's
    folder, or None without a job. `source` is the file name of the version. `file` identifies the
    session of the .blend file that made the request. If `scene` is set, its meshes are edited, and
    not `source`. The result is then also saved as a new version in `folder` if `scene.to_model` is
    set and this user made `source`.
    """

    job: str
    name: str
    folder: Path | None
    task: str
    source: str = ORIGINAL
    asked: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    scene: SceneMeshes | None = None

    @property
    def key(self) -> str:
        """The key of the edited object or job, which can have only a single edit at a time."""
        return object_key(self.scene.objects[0]) if self.scene else self.job


@dataclass(frozen=True, slots=True)
class EditView:
    """An edit as panels show it.

    `version` is the file name of the new version, empty if no version was added to a job's folder.
    `card` is the mesh report. `triangles` has the number of triangles before the edit, followed by
    those of the results. `meshes` has the names of the scene's edited meshes in the result's file.
    `over`: the edit has ended. `changed`: it has changed the mesh.
    """

    order: EditRequest
    phase: str = "Waiting"
    fraction: float | None = None
    over: bool = False
    version: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    changed: bool = False
    meshes: tuple[str, ...] = ()
    triangles: tuple[int, ...] = ()

    @property
    def summary(self) -> str:
        """The outcome in one line; "" for reports, running edits, and edits without counts."""
        task, counts = self.order.task, [f"{count:,}" for count in self.triangles]
        if task in REPORTS or not counts or not self.over:
            return ""
        if not self.changed:
            return "Nothing to clean"
        if task == "levels":
            return Message("Levels of detail: {counts} triangles", counts=", ".join(counts))
        if task == "quads":
            faces = f"{self.card.get('faces', 0):,}"
            return Message(
                "Remeshed: {before} triangles → {after} faces", before=counts[0], after=faces
            )
        return Message(CHANGES[task], before=counts[0], after=counts[-1])


CHANGES = {
    "clean": "Cleaned: {before} → {after} triangles",
    "decimate": "Reduced: {before} → {after} triangles",
}


def object_key(session_uid: int) -> str:
    """Return the key for edits of the object with this `session_uid`."""
    return f"object-{session_uid}"
