# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to edit a mesh: one in the scene, or one that only exists in a job's folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
from mathutils import Matrix

from ... import jobs
from ...app import bring_in, import_result
from ...jobs.custom_properties import APPLIED, JOB, SCALE, VERSION
from ...jobs.library.file_names import ORIGINAL, version_file
from ...providers import LibraryProblem, Message
from ...state import open_file
from . import rotate


def for_scene(context: bpy.types.Context, task: str, asked: dict[str, Any]) -> jobs.EditRequest:
    """Write the mesh of the active object, or the meshes of its model, and return the request.

    `task` is the worker's name for the edit, and `asked` holds its options. Raise LibraryProblem if
    the tool cannot work on the meshes, or OSError if they cannot be written.
    """
    import tempfile

    from ...jobs.process.temporary_folder import EDIT_PREFIX
    from ...jobs.tasks.edit_values import WRITTEN
    from ...scene.exchange import targets

    objects = targets.edited_objects(context)
    targets.check_objects(context, objects, task)
    name, version = objects[0].name, str(objects[0].get(VERSION, ""))
    folder = _job_folder(context, objects) if task not in targets.REPORTS else None
    place = Path(tempfile.mkdtemp(prefix=EDIT_PREFIX))
    scene = jobs.SceneMeshes(
        place,
        tuple(obj.session_uid for obj in objects),
        tuple(targets.write_meshes(objects, str(place / WRITTEN), task)),
        _to_model(objects[0]) if folder and task != "levels" else (),
    )
    job = str(objects[0].get(JOB, ""))
    return jobs.EditRequest(
        job, name, folder, task, version or ORIGINAL, asked, open_file.token(), scene
    )


def for_job(
    context: bpy.types.Context, task: str, asked: dict[str, Any], named: tuple[str, str]
) -> jobs.EditRequest:
    """Return the request to edit a version in a job's folder.

    `named` is the pair (job, version), where either may be empty; see `target`. Raise
    LibraryProblem if the job does not exist, or the version's file is missing.
    """
    record, version = target(context, *named)
    folder = bring_in.library_of(context, record.id).folder(record.id)
    if not (folder / version).is_file():
        raise LibraryProblem(
            Message(
                "“{name}” is not prepared yet: {version} is missing.",
                name=record.name,
                version=version,
            ),
            "Import the mesh first.",
        )
    return jobs.EditRequest(record.id, record.name, folder, task, version, asked, open_file.token())


def target(context: bpy.types.Context, job: str, version: str) -> tuple[jobs.Record, str]:
    """Return a job's record, and the file of one of its versions.

    The job is the first of these that is given:

    1. `job`,
    2. the job of the active result,
    3. the newest job with a mesh.

    If `version` is empty, it is the version that the active result shows, or the original if the
    job was not found by the active result. Raise LibraryProblem if there is no such job, or
    `version` is not the name of a version.
    """
    roots = rotate.result_roots(context)
    active = context.view_layer.objects.active
    if not job and roots and active in (roots[0], *roots[0].children_recursive):
        job = str(roots[0][JOB])
        version = version or str(roots[0].get(VERSION, ""))
    return import_result.find(context, job), version_file(version)


def _job_folder(context: bpy.types.Context, objects: list[bpy.types.Object]) -> Path | None:
    """Return the folder of the objects' job, which gets a copy of the new version, or None.

    It is None unless a single object is the whole model of a job in the library.
    """
    obj = objects[0]
    is_whole = len(objects) == 1 and JOB in obj and not (obj.parent and JOB in obj.parent)
    if not is_whole:
        return None
    library = bring_in.library_of(context, str(obj[JOB]))
    try:
        record = library.load(str(obj[JOB]))
        # A version in a .blend file may have any name.
        version_file(str(obj.get(VERSION, "")))
    except LibraryProblem:
        return None  # The job was deleted, or is in another library.
    return library.folder(record.id)


def _to_model(obj: bpy.types.Object) -> tuple[tuple[float, ...], ...]:
    """Return the matrix, as rows, that undoes the rotation and scale that the import applied."""
    from ...scene.exchange.targets import rows_of

    rotation = Matrix.Rotation(math.radians(float(obj.get(APPLIED, 0))), 4, "Z")
    done = rotation @ Matrix.Scale(float(obj.get(SCALE, 1.0)), 4)
    return rows_of(done.inverted_safe())
