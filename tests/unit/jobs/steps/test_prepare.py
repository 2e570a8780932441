# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model is split into chunks only for a waiting user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakes.running import end_of, spec_for

from image_to_mesh.jobs import Session
from image_to_mesh.jobs.import_plan import ImportPlan
from image_to_mesh.jobs.library.file_names import CHUNKS_FOLDER
from image_to_mesh.jobs.process.pool import BackgroundBlender
from image_to_mesh.jobs.steps.prepare import LEAST

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.once
@pytest.mark.parametrize("in_parts", [True, False, None])
def test_a_large_model_is_split_only_for_a_waiting_user(
    running: Session,
    tmp_path: Path,
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
    in_parts: bool | None,
) -> None:
    asked: list[dict[str, Any]] = []
    ask = BackgroundBlender.ask

    def listen(self: BackgroundBlender, request: dict[str, Any], *others: Any) -> dict[str, Any]:
        asked.append(request)
        return ask(self, request, *others)

    monkeypatch.setattr(BackgroundBlender, "ask", listen)
    plan = ImportPlan() if in_parts is None else ImportPlan(in_chunks=in_parts)
    job = running.start(replace(spec_for(tmp_path, png), plan=plan))
    end_of(running, job)
    (request,) = (item for item in asked if item["do"] == "prepare")
    chunks = {"folder": str(tmp_path / job / CHUNKS_FOLDER), "least": LEAST}
    assert request["parts"] == (chunks if in_parts else None)
