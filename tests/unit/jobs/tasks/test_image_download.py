# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that threads download: each request has its result, even for the same file twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.png import png_of

from image_to_mesh.jobs.tasks.image_download import ImageDownloads

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_file_can_be_requested_twice_at_once(tmp_path: Path) -> None:
    (tmp_path / "cup.png").write_bytes(png_of(8, 8))
    downloads = ImageDownloads()
    for view in ("front", "left"):
        downloads.decode(tmp_path / "cup.png", view)
    views = []
    for pending in (1, 0):
        done = downloads.take(timeout=10)
        assert done is not None
        views.append(done.view)
        assert len(downloads.waiting()) == pending
    assert sorted(views) == ["front", "left"]
