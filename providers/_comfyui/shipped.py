# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows that come with the add-on: one file each in `graphs/`, found by themselves.

Such a file has the graph as ComfyUI's “Export (API)” writes it, what the panel says about it, the
views that it takes, and the inputs of its nodes that are settings. Sources of the graphs: ComfyUI's
own templates (PyPI `comfyui-workflow-templates-json` 0.1.123), with the nodes of ComfyUI alone.
Inputs of newer nodes are there as well, such as `sampling`: ComfyUI ignores unknown ones.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "graphs"


class Workflow(NamedTuple):
    """A workflow: its id, which is the file's name, texts for the panel, and the views it takes.

    `page` is the address from which its model can be downloaded.

    `settings` name the inputs that are settings: each has a `node`, an `input`, and optionally a
    `title`, a `group` and `basic` as in `Option`.
    """

    id: str
    title: str
    description: str
    rank: int
    page: str
    views: tuple[str, ...]
    settings: tuple[dict[str, Any], ...]
    graph: dict[str, Any]


@functools.cache
def shipped_workflows() -> tuple[Workflow, ...]:
    """Return all workflows, by rank."""
    found = (_read(path) for path in sorted(FOLDER.glob("*.json")))
    return tuple(sorted(found, key=lambda workflow: workflow.rank))


def find_workflow(id_: str) -> Workflow | None:
    """Return the workflow with an id, or None."""
    return next((item for item in shipped_workflows() if item.id == id_), None)


def _read(path: Path) -> Workflow:
    data = json.loads(path.read_bytes())
    return Workflow(
        id=path.stem,
        title=data["title"],
        description=data["description"],
        rank=data["rank"],
        page=data["page"],
        views=tuple(data["views"]),
        settings=tuple(data["settings"]),
        graph=data["graph"],
    )
