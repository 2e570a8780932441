# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: nothing missing, nothing left over, no hole lost."""

from __future__ import annotations

import ast
import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import package
import places
import pytest
from blender.texts import all_texts

if TYPE_CHECKING:
    from types import ModuleType

ADDON = "bl_ext.user_default.image_to_mesh"


def room(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{ADDON}.{name}")


@pytest.fixture
def german(addon: ModuleType) -> dict[str, str]:
    """English texts to German ones."""
    return dict(room("languages").GERMAN)


def test_no_text_is_missing(german: dict[str, str]) -> None:
    missing = sorted(all_texts() - set(german))
    assert not missing, "\n".join(f"    {text!r}: {text!r}," for text in missing)


def test_no_text_is_left_over(german: dict[str, str]) -> None:
    known = {text for text in german if not text.endswith(room("languages").SWITCH)}
    left = known - all_texts() - set(room("languages").SENTENCES)
    assert not left, "\n".join(sorted(left))


def test_names_and_numbers_have_their_places(german: dict[str, str]) -> None:
    for english, own in german.items():
        assert english.count("{}") == own.count("{}"), english
        assert own.strip() == own != "", english
        assert english.endswith("...") == own.endswith("..."), english


def test_texts_are_put_together_of_translated_parts() -> None:
    """A sentence with a name in it is a template: what is glued together cannot be translated."""
    glued = []
    for file in package.known_files():
        if not file.startswith("panels/"):
            continue
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                words = "".join(str(one.value) for one in node.values
                                if isinstance(one, ast.Constant))  # fmt: skip
                if " " in words.strip() and any(len(part) > 3 for part in words.split()):
                    glued.append(f"{file}:{node.lineno} {words}")
    assert not glued, "\n".join(glued)


def test_blender_gets_the_texts_and_gives_them_back(
    addon: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = room("words")
    told: list[Any] = []
    assert words.tr("Choose a picture") == "Choose a picture"
    assert words.said("", "A sentence that nobody knows.") == "A sentence that nobody knows."
    calls = SimpleNamespace(
        register=lambda name, texts: told.append((name, texts)), unregister=told.append
    )
    fake = SimpleNamespace(app=SimpleNamespace(translations=calls))
    monkeypatch.setattr(words, "bpy", fake)
    words.register()
    words.unregister()
    registered, gone = told
    name, texts = registered
    assert name == gone == ADDON
    for context in ("*", "Operator"):
        assert texts["de_DE"][context, "Generate"] == "Erzeugen"


def test_errors_are_recognised_with_their_names(german: dict[str, str]) -> None:
    words = room("words")
    for english, own in room("languages.german_errors").TEXTS.items():
        holes = [f"n{number}" for number in range(english.count("{}"))]
        if holes:
            assert words._recognised(english.format(*holes), "de_DE") == own.format(*holes)
