# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as a file that users share: data only, without keys, addresses, or paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.workshop import SERVICES

from image_to_mesh import providers
from image_to_mesh.jobs.disk.shared_settings import (
    LARGEST,
    MARK,
    encode_settings,
    read_shared_settings,
)
from image_to_mesh.providers import InvalidSettings, Provider, get_provider, settings_of


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider[Any]]:
    """A provider with a file among its settings, and settings that only its server knows."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    providers.all_providers.cache_clear()
    yield get_provider("workshop")
    providers.all_providers.cache_clear()


def write(path: Path, provider: str, values: Any) -> Path:
    """Write a file as a stranger might."""
    path.write_text(json.dumps({MARK: 1, "provider": provider, "settings": values}))
    return path


@pytest.mark.parametrize(
    ("provider", "values"),
    [
        ("custom", {"path": "/a", "send_as": "json", "data_url": True}),
        ("hunyuan3d", {"octree_resolution": 300, "guidance_scale": 7.5, "texture": True}),
        ("tripo", {}),
    ],
)
def test_settings_come_back_as_they_were(
    tmp_path: Path, provider: str, values: dict[str, Any]
) -> None:
    shared = get_provider(provider)
    settings = shared.settings(**values)
    path = tmp_path / "shared.json"
    path.write_bytes(encode_settings(shared, settings, ()))
    found = read_shared_settings(path)
    assert (found.provider, found.settings) == (shared, settings)
    assert json.loads(path.read_text("utf-8"))["settings"] == values


def test_a_file_has_no_path_and_nothing_that_is_excluded(workshop: Provider[Any]) -> None:
    settings = workshop.settings(model="fine", graph="/home/artist/graph.json")
    text = encode_settings(workshop, settings, ("model",)).decode()
    assert "artist" not in text
    assert json.loads(text)["settings"] == {}


def test_a_stranger_cannot_name_a_file_of_this_computer(
    workshop: Provider[Any], tmp_path: Path
) -> None:
    assert [item.name for item in settings_of(workshop.settings) if item.file] == ["graph"]
    path = write(tmp_path / "shared.json", "workshop", {"graph": "/etc/passwd"})
    with pytest.raises(InvalidSettings, match="names a file of this computer"):
        read_shared_settings(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"path": "/" + "a" * LARGEST}, "too large"),
        ({"path": ["/a"]}, "no settings of this version"),
        ({"path": {"a": 1}}, "no settings of this version"),
        ("path", "no settings of this version"),
        ({"send_as": "carrier pigeon"}, "send_as"),
        ({"path": None}, "cannot be empty"),
        ({"pth": "/a"}, "no setting “pth”"),
    ],
)
def test_a_file_with_other_values_is_refused(tmp_path: Path, values: Any, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        read_shared_settings(write(tmp_path / "shared.json", "custom", values))


@pytest.mark.parametrize(
    "text", ["", "[", "[" * 100_000, "[]", "{}", '{"image_to_mesh_settings": 2}', "\0"]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "shared.json").write_text(text)
    with pytest.raises(InvalidSettings, match=r"shared\.json cannot be used"):
        read_shared_settings(tmp_path / "shared.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"lost\.json cannot be used: "):
        read_shared_settings(tmp_path / "lost.json")
