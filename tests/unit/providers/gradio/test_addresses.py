# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of apps and Spaces: what the user enters, and who gets the token."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from image_to_mesh.cli.running import BlenderHost, spec_for
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import (
    InvalidSettings,
    Secret,
    base_url,
    get_provider,
    keys_for,
)

GRADIO = get_provider("gradio")
TOKEN = "hf_abcdefghijklmnop"
KEYS = {"gradio_token": Secret(TOKEN)}


@pytest.mark.parametrize(
    ("entered", "address"),
    [
        ("microsoft/TRELLIS.2", "https://microsoft-trellis-2.hf.space"),
        ("tencent/Hunyuan3D-2", "https://tencent-hunyuan3d-2.hf.space"),
        (" Stable-X/Hi3DGen/ ", "https://stable-x-hi3dgen.hf.space"),
        ("a_b/c__d", "https://a-b-c-d.hf.space"),
        ("https://huggingface.co/spaces/trellis-community/TRELLIS",
         "https://trellis-community-trellis.hf.space"),
        ("https://hf.co/spaces/VAST-AI/TripoSG/", "https://vast-ai-triposg.hf.space"),
        ("https://microsoft-trellis-2.hf.space/", "https://microsoft-trellis-2.hf.space"),
        ("http://192.168.1.5:7860", "http://192.168.1.5:7860"),
        ("http://127.0.0.1:8080/app/", "http://127.0.0.1:8080/app"),
        ("https://gradio.example/trellis", "https://gradio.example/trellis"),
        ("", "http://127.0.0.1:7860"),
    ],
)  # fmt: skip
def test_a_space_is_found_by_its_name_and_its_page(entered: str, address: str) -> None:
    assert base_url(GRADIO, {"gradio_base_url": entered}, {}) == address
    assert base_url(GRADIO, {}, {"GRADIO_BASE_URL": entered}) == address


@pytest.mark.parametrize(
    "entered",
    [
        *("http://8.8.8.8:7860", "http://0.0.0.0:7860", "localhost:7860", "TRELLIS", "a/b/c"),
        *("127.0.0.1/app", "ftp://a.example", "https://user@a.hf.space", "owner/na me"),
    ],
)
def test_other_entries_are_refused(entered: str) -> None:
    with pytest.raises(InvalidSettings):
        base_url(GRADIO, {"gradio_base_url": entered}, {})


@pytest.mark.parametrize(
    ("base", "own"),
    [
        ("http://127.0.0.1:7860", True),
        ("http://192.168.1.5:7860", True),
        ("http://studio.local:7860", True),
        ("https://a-b.hf.space", False),
        ("HTTPS://studio.example", False),
    ],
)
def test_only_encrypted_apps_may_be_on_the_internet(base: str, own: bool) -> None:
    assert bool(GRADIO.public_host(base)) is not own
    http = open_http(GRADIO, {}, base, online=True)
    assert http._policy.is_own is own
    http.close()


@pytest.mark.parametrize(
    ("base", "sent"),
    [
        ("https://microsoft-trellis-2.hf.space", True),
        ("https://microsoft-trellis-2.hf.space:443", True),
        ("http://microsoft-trellis-2.hf.space", False),
        ("https://evil.example", False),
        ("https://evil.example?.hf.space", False),
        ("https://evil.example#.hf.space", False),
        ("https://evil.example/.hf.space", False),
        ("https://hf.space", False),
        ("https://a.hf.space.evil.example", False),
        ("https://a@b.hf.space", False),
        ("http://127.0.0.1:7860", False),
        ("http://192.168.1.5:7860", False),
        ("https://huggingface.co", False),
    ],
)
def test_only_spaces_get_the_token(base: str, sent: bool) -> None:
    http = open_http(GRADIO, KEYS, base, online=True)
    assert http._headers == ({"x-hf-authorization": f"Bearer {TOKEN}"} if sent else {})
    http.close()


def test_the_token_is_optional_and_from_either_place() -> None:
    assert keys_for(GRADIO, {}, {}) == {}
    assert keys_for(GRADIO, {}, {"HF_TOKEN": TOKEN})["gradio_token"].reveal() == TOKEN
    assert GRADIO.headers({}) == {}


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("https://microsoft-trellis-2.hf.space", "microsoft-trellis-2.hf.space"),
        ("https://studio.example/app", "studio.example"),
        ("https://127.0.0.1:7860", ""),
        ("https://192.168.1.5", ""),
        ("http://studio.local:7860", ""),
    ],
)
def test_a_server_on_the_internet_may_be_anybodys(base: str, host: str) -> None:
    assert GRADIO.public_host(base) == host
    assert get_provider("hunyuan3d").public_host(base) == ""
    assert get_provider("tripo").public_host("https://openapi.tripo3d.ai/v3") == ""


def test_the_command_line_names_a_strangers_server_once(
    tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cup.png").write_bytes(png)
    arguments = argparse.Namespace(
        library=str(tmp_path / "library"), trust_library=None, send_unencrypted=False, timeout=None
    )
    host = BlenderHost(None, online=True, preferences={"gradio_base_url": "microsoft/TRELLIS.2"})
    for _ in range(2):
        spec_for(arguments, host, GRADIO, settings=GRADIO.settings())
    shown = capsys.readouterr().err
    assert shown.count("microsoft-trellis-2.hf.space is somebody else's server") == 1
    assert "can see your images." in shown
    own = {**host.preferences, "gradio_token": TOKEN}
    spec_for(arguments, replace(host, preferences=own), GRADIO, settings=GRADIO.settings())
    assert "Its owner can see your images and your token." in capsys.readouterr().err
    own = {"gradio_base_url": "https://studio.example", "gradio_token": TOKEN}
    spec_for(arguments, replace(host, preferences=own), GRADIO, settings=GRADIO.settings())
    assert "can see your images." in capsys.readouterr().err, "only a Space gets the token"
