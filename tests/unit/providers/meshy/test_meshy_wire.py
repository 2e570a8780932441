# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy from the command line: every setting by its name, to the wire and back to a mesh."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.meshy import KEY, Meshy
from fakes.meshy_calls import CREATE, POLL, VIEWS, legal_choices
from fakes.png import png_of

from image_to_mesh.cli import entry
from image_to_mesh.jobs import runner

COMPANIONS = {
    "topology": ("should_remesh=true",),
    "target_polycount": ("should_remesh=true",),
    "decimation_mode": ("should_remesh=true",),
    "remove_lighting": ("ai_model=meshy-6",),
    "origin_at": ("auto_size=true",),
}


@pytest.fixture
def generate(
    fake: Meshy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Return a function that runs `generate` at the fake; it returns the code and the JSON."""
    monkeypatch.setattr(entry, "find_blender", lambda environment: WORKER)
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.01)
    monkeypatch.setenv("MESHY_API_KEY", KEY)
    monkeypatch.setenv("MESHY_BASE_URL", fake.base)
    for view in VIEWS:
        (tmp_path / f"{view}.png").write_bytes(png_of(64, 40 + len(view)))

    def call(*words: str) -> tuple[int, dict[str, Any]]:
        given = ["--provider", "meshy", "--library", str(tmp_path / "library"), "--json"]
        code = entry.main(["generate", str(tmp_path / "front.png"), *given, *words])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def set_words(*pairs: str) -> list[str]:
    """Return the words of `--set` for each pair."""
    return [word for pair in pairs for word in ("--set", pair)]


def text_of(value: Any) -> str:
    """Return a value as it is written on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_a_picture_becomes_a_mesh(
    fake: Meshy, generate: Callable[..., Any], tmp_path: Path
) -> None:
    code, said = generate()
    assert (code, said["state"], said["credits"]) == (0, "ready", 30.0), said
    (mesh,) = (tmp_path / "library").glob("*/mesh.glb")
    assert mesh.read_bytes() == fake.mesh
    assert len(fake.creates) == 1
    assert len(fake.calls(POLL)) == 3


def test_every_setting_reaches_the_wire_by_its_name(
    fake: Meshy, generate: Callable[..., Any]
) -> None:
    fake.balance = 10**6
    for name, value in legal_choices():
        fake.tasks.clear()
        fake.requests.clear()
        fake.states = fake.states[-1:]
        words = set_words(*COMPANIONS.get(name, ()), f"{name}={text_of(value)}")
        code, said = generate(*words, "--again")
        assert (code, said["state"]) == (0, "ready"), (name, value, said)
        sent = fake.calls(CREATE)[0].json
        # What is at its default is the service's own, and need not be sent.
        assert sent.get(name, value) == value, (name, value, sent)
        assert type(sent.get(name, value)) is type(value)


def test_views_and_a_texture_image_reach_the_wire(
    fake: Meshy, generate: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bronze.png").write_bytes(png_of(16, 16))
    views = [word for view in VIEWS[1:] for word in ("--view", f"{view}={tmp_path / view}.png")]
    code, said = generate(*views, *set_words(f"texture_image={tmp_path / 'bronze.png'}"))
    assert (code, said["state"]) == (0, "ready"), said
    (task,) = fake.creates
    assert task.kind == "multi-image-to-3d"
    assert len(task.body["image_urls"]) == 4
    texture = base64.b64decode(task.body["texture_image_url"].partition(",")[2])
    assert texture.startswith(b"\x89PNG")
    assert "bronze" not in json.dumps(task.body)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (("ai_model=meshy-5",), "Model (ai_model) cannot be “meshy-5”"),
        (("target_polycount=99",), "Target Faces (target_polycount) cannot be “99”"),
        (("target_polycount=300001",), "Target Faces (target_polycount) cannot be “300001”"),
        (("decimation_mode=5",), "Adaptive Faces (decimation_mode) cannot be “5”"),
        (("ai_model=meshy-t2.5", "target_polycount=30001"), "set Target Faces to at most 30000"),
        (("texture_image=none.png",), "none.png"),
    ],
)
def test_what_the_service_would_refuse_is_refused_before(
    fake: Meshy, generate: Callable[..., Any], pairs: tuple[str, ...], message: str
) -> None:
    code, said = generate(*set_words(*pairs))
    assert code == 2
    assert message in f"{said['error']['message']} {said['error']['hint']}"
    assert fake.requests == []
