# SPDX-License-Identifier: GPL-3.0-or-later
"""Every property of Meshy in Blender reaches the wire under the service's own name."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from fakes.meshy import KEY, serving
from fakes.png import png_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

BESIDE: dict[str, dict[str, Any]] = {
    "topology": {"should_remesh": True},
    "target_polycount": {"should_remesh": True},
    "decimation_mode": {"should_remesh": True},
    "remove_lighting": {"ai_model": "meshy-6"},
    "origin_at": {"auto_size": True},
}


def values_of(setting: Any) -> list[Any]:
    """Return each legal value of a setting; for numbers, both ends."""
    ends = [int(end) for end in (setting.minimum, setting.maximum) if end is not None]
    switches = [True, False] if setting.kind == "bool" else []
    texts = ["old bronze"] if setting.kind == "str" else []
    return [*(choice.value for choice in setting.choices), *ends, *switches, *texts]


@pytest.mark.usefixtures("addon")
def test_every_property_arrives_as_it_is_named(addon: ModuleType, tmp_path: Path) -> None:
    providers, state = addon_module("providers"), addon_module("state.scene_properties")
    client = addon_module("providers._shared.http.client")
    meshy, scene = providers.get_provider("meshy"), bpy.context.scene
    image = tmp_path / "cup.png"
    image.write_bytes(png_of(64, 48))
    picture = providers.Picture("front", "cup", image)
    sent = 0
    with serving() as fake:
        fake.balance, fake.most_queued = 10**6, 10**6
        headers = {"Authorization": f"Bearer {KEY}"}
        with closing(client.Http(fake.base, headers)) as http:
            for setting in providers.settings_of(meshy.settings):
                for value in values_of(setting):
                    chosen = {**BESIDE.get(setting.name, {}), setting.name: value}
                    state.write_settings(scene, meshy, meshy.settings(**chosen))
                    request = providers.Request(state.read_settings(scene, meshy), (picture,))
                    meshy.submit(request, providers.Uploaded(), http)
                    body = fake.creates[-1].body
                    assert body.get(setting.name, setting.default) == value, setting.name
                    assert type(body.get(setting.name, value)) is type(value), setting.name
                    sent += 1
    assert sent == len(fake.creates) > 40
