# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual: every example runs, every link leads somewhere, every error has its paragraph."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import Layout, drawing_context

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

DOCS = sorted((places.ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, places.ROOT / "README.md"]
BLOCK = re.compile(r"```(python|sh)\n(.*?)```", re.DOTALL)
MENU_ENTRY = re.compile(r"\*(Object › Image to Mesh|Image) › ([^*]+)\*")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def blocks(language: str) -> list[Any]:
    """Return every example in a language, named by its page."""
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text("utf-8")))
        if kind == language
    ]


@pytest.fixture
def pictures(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photograph of the examples, few faces, a library of the test's own."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    bpy.context.scene.image_to_mesh.local.face_count = 500
    (tmp_path / "pictures").mkdir()
    shutil.copy(places.SAMPLE, tmp_path / "pictures" / "photo.jpg")
    return tmp_path / "pictures"


@pytest.mark.once
@pytest.mark.parametrize("text", blocks("python"))
def test_every_python_example_runs(pictures: Path, text: str) -> None:
    exec(text.replace("/pictures", pictures.as_posix()), {"__name__": "example"})


@pytest.mark.once
@pytest.mark.parametrize("text", blocks("sh"))
def test_every_command_runs(
    pictures: Path, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli = addon_module("cli.entry")
    monkeypatch.chdir(tmp_path)
    shutil.copy(places.SAMPLE, tmp_path / "photo.jpg")
    shutil.copytree(pictures, tmp_path / "photos")
    for line in text.splitlines():
        words = shlex.split(line.replace("/pictures", pictures.as_posix()), comments=True)
        if words[:1] == ["image-to-mesh"] and "JOB" not in words:
            with contextlib.suppress(SystemExit):
                assert cli.main(words[1:]) == 0, line


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for link in LINK.findall(page.read_text("utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_page_is_reached_from_the_index() -> None:
    reached, new = set(), {"index.md"}
    while new:
        reached |= new
        texts = [(places.ROOT / "docs" / name).read_text("utf-8") for name in new]
        new = {link for text in texts for link in LINK.findall(text) if link.endswith(".md")}
        new -= reached
    assert {page.name for page in DOCS} <= reached


def test_every_error_has_its_paragraph(addon: ModuleType) -> None:
    errors = addon_module("providers._shared.errors")
    text = (places.ROOT / "docs/troubleshooting.md").read_text("utf-8")
    headings = " ".join(line for line in text.splitlines() if line.startswith("## "))
    for var in vars(errors).values():
        kind = getattr(var, "kind", "")
        if isinstance(var, type) and isinstance(kind, str) and kind not in ("", "error"):
            assert kind in headings.replace(",", " ").split(), kind


def test_every_service_has_a_page(addon: ModuleType) -> None:
    providers = addon_module("providers")
    names = {page.stem for page in DOCS}
    assert {item.manual_page for item in providers.all_providers().values()} <= names


def test_the_settings_that_pages_name_are_there(addon: ModuleType) -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for preset in ("Draft", "Game Asset", "Hero", "Print"):
        assert f"| *{preset}* |" in text
        assert bpy.utils.preset_find(preset.replace(" ", "_"), "image_to_mesh/tripo")
    for operator in set(re.findall(r"bpy\.ops\.image_to_mesh\.(\w+)", text)):
        assert operator in dir(bpy.ops.image_to_mesh), operator


def entries_of(draw: Any) -> list[str]:
    """Return the labels of a menu's entries."""
    shown: list[dict[str, Any]] = []
    draw(SimpleNamespace(layout=Layout(shown, unfolded=True)), drawing_context(300))
    named = ((row, row["operator"].split(".")[1]) for row in shown if row["kind"] == "operator")
    entries = [
        row.get("text") or getattr(bpy.ops.image_to_mesh, name).get_rna_type().name
        for row, name in named
    ]
    submenus = [row["menu"] for row in shown if row["kind"] == "menu"]
    return entries + [getattr(bpy.types, menu).bl_label for menu in submenus]


def test_the_menu_entries_that_pages_name_are_in_those_menus(addon: ModuleType) -> None:
    menus = addon_module("panels.menus")
    entries = {
        "Object › Image to Mesh": entries_of(menus.IMAGE_TO_MESH_MT_object.draw),
        "Image": entries_of(menus._in_image_menu),
    }
    texts = [re.sub(r"\s+", " ", page.read_text("utf-8")) for page in PAGES]
    named = [pair for text in texts for pair in MENU_ENTRY.findall(text)]
    assert len(named) >= len(entries)
    assert [(menu, entry) for menu, entry in named if entry not in entries[menu]] == []
