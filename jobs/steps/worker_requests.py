# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's requests to the worker: making a mesh from an image, and a model from a mesh file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ...providers import BadMesh, Failed, Message, NoBlender, Provider, Recipe
from ..disk.plain_files import is_plain
from ..library.file_names import ORIGINAL, PREVIEW
from ..library.live_record import LiveRecord
from ..resources import Resources
from ..values import State
from ..weights.store import paths_there
from ..weights.table import DEPTH
from .download import MeshDownload
from .fingerprint import digest_of
from .prepare import model_request

REFUSED = "refused-"
"""Prefix of an unusable mesh file that is kept until it has been downloaded again."""
MARK = "refused_mesh"
"""The field in a record's facts with the digest of the unusable file."""
CAME_ALONG = (
    "It was part of the service's response, so it cannot be downloaded again. The file is kept in "
    "the job's folder."
)
SAME_AGAIN = (
    "The file was downloaded again, but has not changed. It is kept in the job's folder. Contact "
    "the service, or generate again."
)


class WorkerRequests:
    """One job's requests to the worker. Used by the job's thread alone."""

    def __init__(
        self,
        live: LiveRecord,
        resources: Resources,
        provider: Provider[Any],
        fetch: MeshDownload,
        check: Callable[[], None],
    ) -> None:
        self._live = live
        self._resources = resources
        self._provider = provider
        self._fetch = fetch
        self._check = check

    def make(self, recipe: Recipe) -> None:
        """Have the worker make the mesh from the job's image, and record it as the result.

        Raises NoBlender, or the error that the worker reports.
        """
        record = self._live.record
        picture = record.pictures[0]
        request = {
            "do": "make",
            "recipe": recipe.name,
            "picture": str(self._live.folder / (picture.file or "")),
            "orientation": picture.info.orientation if picture.info else 1,
            "name": record.name,
            "settings": dict(recipe.settings),
            "models": paths_there(DEPTH),
            "output": str(self._live.folder / "mesh.glb"),
        }
        done = self._resources.blender.ask(request, self._live.show_progress, self._check)
        self._fetch.finish("mesh.glb", *done.get("notes", ()))

    def prepare(self, *, in_parts: bool) -> None:
        """Prepare `model.blend` from the mesh file, and finish the job.

        Without a working Blender, the job is finished without the model. Raises BadMesh if the mesh
        file itself cannot be used.
        """
        folder = self._live.folder
        try:
            with model_request(folder, self._live.record, in_parts=in_parts) as request:
                done = self._resources.blender.ask(request, self._live.show_progress, self._check)
        # The mesh file itself is complete and paid for, so the first import will prepare it.
        except (NoBlender, Failed) as error:
            self._live.note(
                Message("Not prepared for Blender yet: {message}", message=error.message)
            )
            return self._live.save(state=State.READY)
        except BadMesh as error:
            raise self._refuse(error) from error
        self._live.note(*done.get("notes", ()))
        self._live.save(
            state=State.READY,
            blend=ORIGINAL,
            preview=PREVIEW if is_plain(folder / PREVIEW) else None,
            faces=done.get("faces", self._live.record.faces),
        )
        for path in folder.glob(f"{REFUSED}mesh.*"):
            with contextlib.suppress(OSError):
                path.unlink()
        return None

    def _refuse(self, error: BadMesh) -> BadMesh:
        """Set an unusable mesh aside, so that the next resume downloads it again; return the error.

        If the same file was downloaded twice, or it cannot be downloaded again, it stays in place,
        and the job fails.
        """
        record, folder = self._live.record, self._live.folder
        mesh = folder / (record.mesh or "")
        mark, before = digest_of(mesh), record.facts.get(MARK)
        came_along = any(file.file is not None for file in record.files)
        again = self._provider.is_remote and record.ticket and not came_along
        if not again or mark == before:
            self._live.save(state=State.FAILED)
            return BadMesh(error.message, CAME_ALONG if came_along else SAME_AGAIN)
        # Kept until the next download succeeds, because the service may have deleted its copy.
        mesh.replace(folder / f"{REFUSED}{mesh.name}")
        self._live.save(  # guard: refused-mesh-comes-again
            state=State.RUNNING,
            mesh=None,
            format=None,
            faces=None,
            facts={**record.facts, MARK: mark},
        )
        return BadMesh(error.message, "Resume the job to download the mesh again at no extra cost.")
