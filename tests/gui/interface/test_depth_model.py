# SPDX-License-Identifier: GPL-3.0-or-later
"""The depth model in a real window: offered with its size, fetched at a click, then Body."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fakes.files import Files, serving

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

ADDON = "bl_ext.user_default.image_to_mesh"
SHAPE = "bpy.context.scene.image_to_mesh.local.shape"
FROM_FILE = "image_to_mesh.depth_model_from_file"
GET = "image_to_mesh.get_depth_model"
DATA = bytes(range(256)) * 4_000
SMALL = f"""
import dataclasses, pathlib, sys
jobs = sys.modules['{ADDON}.jobs']
folder = pathlib.Path({{folder!r}})
sys.modules['{ADDON}.jobs.weights.store'].folder = lambda: folder
sys.modules['{ADDON}.jobs.weights.fetch'].SPARE = 0
small = dataclasses.replace(jobs.DEPTH, page={{page!r}}, size={{size}}, sha256={{digest!r}})
jobs.DEPTH = sys.modules['{ADDON}.jobs.weights.table']._TABLE[small.name] = small
jobs.weights_downloads.cache_clear()
"""


def upper_edge(artist: Artist, button: str) -> int:
    """Return the row of pixels at which a button begins."""
    x, y = artist.session.find(button)
    while artist.session.under_pointer().startswith(f"bpy.ops.{button}("):
        y -= 1
        artist.session.move_seen((x, y))
    return y + 1


def test_the_offer_stays_under_the_pointer_when_body_needs_it(
    artist: Artist, photograph: Path
) -> None:
    artist.unfold("settings")
    artist.choose(photograph)
    artist.shows("1024 × 1024")
    artist.shows("99 MB")
    assert "Allow Online Access" in artist.words()
    artist.keep("depth-model-offline")
    before = upper_edge(artist, FROM_FILE)
    artist.session.run(f"{SHAPE} = 'body'")
    artist.shows("is missing")
    artist.keep("depth-model-missing")
    assert abs(upper_edge(artist, FROM_FILE) - before) <= 2


def test_the_model_is_a_click_away(artist: Artist, photograph: Path, workshop: Path) -> None:
    artist.new_file()  # A shape that was chosen before is kept.
    artist.unfold("settings")
    artist.choose(photograph)
    with serving(Files(data=DATA)) as files:
        digest = hashlib.sha256(DATA).hexdigest()
        artist.session.run(
            SMALL.format(
                folder=str(workshop / "models"), page=files.url, size=len(DATA), digest=digest
            )
        )
        artist.shows("Depth Model")
        artist.keep("depth-model-offered")
        artist.session.click_button(GET)
        artist.session.wait_for(f"{SHAPE} == 'body'", 30)
    artist.point_at_view()
    assert "Depth Model" not in artist.words()
    artist.keep("depth-model-there")
