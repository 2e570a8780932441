# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages: no text is missing or left over, and no field is lost."""

from __future__ import annotations

import ast
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import package
import places
import pytest
import texts
from blender.addon_modules import addon_module
from blender.texts import Translations, registered_texts

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SHOWING = ("_refuse", "draw_text", "label", "progress", "report")


def test_every_registered_text_is_in_the_template(addon: ModuleType) -> None:
    missing = sorted(
        registered_texts() - set(texts.extract()) - set(addon_module("i18n.translate")._labels)
    )
    assert not missing, "tools/texts.py does not find these in the code:\n" + "\n".join(missing)


def test_composed_texts_use_translated_pieces() -> None:
    """A sentence with a name in it is a template: concatenated texts cannot be translated."""
    glued = []
    for file in package.known_files():
        if not file.startswith("panels/"):
            continue
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                words = "".join(str(value.value) for value in node.values
                                if isinstance(value, ast.Constant))  # fmt: skip
                if " " in words.strip() and any(len(part) > 3 for part in words.split()):
                    glued.append(f"{file}:{node.lineno} {words}")
    assert not glued, "\n".join(glued)


# -- in another language -------------------------------------------------------------------------


def test_texts_are_registered_for_labels_and_operators(spoken: Translations) -> None:
    translate = addon_module("i18n.translate")
    for context in translate.CONTEXTS:
        assert spoken.texts[context, "Generate"] == "Erzeugen"
    assert translate.tr("Choose an image") == "Wähle ein Bild"


def test_labels_with_values_are_translated_whole(spoken: Translations) -> None:
    assert spoken.texts["*", "Tripo Address"] == "Adresse von Tripo"
    off = ". If off, the service's default is used"
    switches = {text for _, text in spoken.texts if text.endswith(off)}
    # Other tests declare settings, whose descriptions have no translation.
    switches = {text for text in switches if ("*", text.removesuffix(off)) in spoken.texts}
    assert len(switches) > 5
    for text in switches - {f"{{description}}{off}"}:
        assert spoken.texts["*", text].endswith(". Aus: Standardwert des Dienstes")
        assert not spoken.texts["*", text].startswith(text.partition(". ")[0]), text


def test_messages_are_translated_by_their_templates(spoken: Translations) -> None:
    translate, providers = addon_module("i18n.translate"), addon_module("providers")
    reason = providers.Message("the connection timed out")
    error = providers.Unreachable(
        providers.Message("{host} cannot be reached: {reason}.", host="Cube", reason=reason),
        "Check the connection.",
    )
    german = "Cube ist nicht erreichbar: keine Verbindung innerhalb der Zeit. Prüfe die Verbindung."
    assert translate.translate_error(error) == german
    assert translate.translate_error(OSError("Permission denied")) == "Keine Berechtigung"
    unknown = "A sentence that nobody knows."
    assert translate.translate("", unknown, "Try again.") == f"{unknown} Versuche es noch einmal."


def test_values_are_shown_as_they_are(spoken: Translations) -> None:
    """An image may have the name of a label."""
    message = addon_module("providers").Message("{name} is empty (0 bytes).", name="Generate")
    assert addon_module("i18n.translate").translate(message).startswith("Generate ")


def test_a_sentence_of_an_old_record_is_shown_as_it_is(spoken: Translations) -> None:
    """Old records hold finished sentences; those without values are still translated."""
    translate = addon_module("i18n.translate").translate
    assert translate("Tripo answered 404.") == "Tripo answered 404."
    assert translate("Try another image or other settings.").startswith("Versuche es")


def test_a_change_of_language_reads_another_file(spoken: Translations) -> None:
    translate = addon_module("i18n.translate")
    spoken.locale = "fr_FR"
    translate._reload()
    assert (spoken.calls[-2:], spoken.texts) == (["unregister", "register"], {})
    assert translate.tr("Generate") == "Generate"
    spoken.locale = "de_DE"
    translate._reload()
    assert translate.tr("Generate") == "Erzeugen"


def test_a_language_is_one_file(
    spoken: Translations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the folder is all that it takes: here one that spells everything backwards."""
    entries = texts.template_text().split("\n\n")
    backwards = [re.sub('^msgid "(.*)"\nmsgstr ""', _backwards, entry, flags=re.MULTILINE)
                 for entry in entries]  # fmt: skip
    (tmp_path / "xx.po").write_text("\n\n".join(backwards), "utf-8")
    translate, providers = addon_module("i18n.translate"), addon_module("providers")
    find = addon_module("i18n.catalog").find_catalog
    monkeypatch.setattr(translate, "find_catalog", lambda locale: find(locale, tmp_path))
    spoken.locale = "xx_YY"
    translate._reload()
    assert translate.tr("Generate") == "etareneG"
    assert spoken.texts["*", "Tripo Address"] == "sserddA Tripo"
    message = providers.Message("{provider} needs an API key.", provider="Tripo")
    assert translate.translate(message) == ".yek IPA na sdeen Tripo"
    for text in registered_texts():
        assert ("*", text) in spoken.texts, text


def _backwards(entry: re.Match[str]) -> str:
    pieces = re.split(r"(\\.|\{[^{}]*\})", entry[1])
    own = "".join(
        piece if odd % 2 else piece[::-1] for odd, piece in reversed([*enumerate(pieces)])
    )
    return f'msgid "{entry[1]}"\nmsgstr "{own}"'


def test_a_language_is_subscribed_to_after_every_file_and_let_go(addon: ModuleType) -> None:
    translate = addon_module("i18n.translate")
    calls: list[Any] = []
    loaded: list[Any] = []
    bus = SimpleNamespace(
        subscribe_rna=lambda **given: calls.append(given), clear_by_owner=calls.append
    )
    handlers = SimpleNamespace(load_post=loaded)
    app = SimpleNamespace(translations=Translations("en_US"), handlers=handlers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translate, "bpy", SimpleNamespace(app=app, msgbus=bus, types=bpy.types))
        translate.register()
        (on_load,) = loaded
        on_load(None)
        translate.unregister()
    subscribed, cleared, again, owner = calls
    assert subscribed["key"] == (bpy.types.PreferencesView, "language")
    assert subscribed["notify"] is translate._reload
    assert subscribed["owner"] is cleared is owner
    assert again == subscribed, "opening a file ends all subscriptions"
    assert loaded == []


def test_no_error_is_shown_as_it_was_raised() -> None:
    """Errors are raised in English: the interface shows them through `translate`."""
    raw = [
        f"{file}:{node.lineno}"
        for file in package.known_files()
        if file.startswith(("app/", "panels/", "operators/"))
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8")))
        if isinstance(node, ast.Call)
        and _function_name(node) in SHOWING
        and any(map(_is_raw, [*node.args, *(keyword.value for keyword in node.keywords)]))
    ]
    assert not raw, "\n".join(raw)


def _function_name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _is_raw(shown: ast.AST) -> bool:
    """Tell whether an expression contains an error's untranslated message."""
    match shown:
        case ast.Call() if _function_name(shown) in ("translate", "translate_error", "tr"):
            return False
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id="error")]):
            return True
        case ast.Attribute(attr="hint" | "phase"):
            return True
    return any(map(_is_raw, ast.iter_child_nodes(shown)))
