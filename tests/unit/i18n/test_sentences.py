# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text that the code has for users is in every language's file, and nothing else is."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import texts

from image_to_mesh.i18n.catalog import FOLDER, find_catalog, read_catalog

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

CATALOGS = sorted(FOLDER.glob("*.po"))
NAMES = [catalog.stem for catalog in CATALOGS]
GETTEXT = shutil.which("msgfmt") and shutil.which("msgmerge")
PLAIN = re.compile(r"(?:[^{}]|\{\{|\}\}|\{(?:[a-z]\w*)?\})*")


@pytest.fixture(scope="module")
def english() -> dict[str, list[str]]:
    """Every text with its places in the code."""
    return texts.extract()


def test_there_is_a_catalog() -> None:
    assert "de_DE" in NAMES


@pytest.mark.parametrize("catalog", CATALOGS, ids=NAMES)
def test_every_text_is_translated(catalog: Path, english: dict[str, list[str]]) -> None:
    known = read_catalog(catalog)
    missing = [f"{at[0]} {text!r}" for text, at in english.items() if text not in known]
    assert not missing, "\n".join([f"Run make texts, then translate in {catalog.name}:", *missing])


@pytest.mark.parametrize("catalog", CATALOGS, ids=NAMES)
def test_no_translation_is_obsolete(catalog: Path, english: dict[str, list[str]]) -> None:
    unused = sorted(set(read_catalog(catalog)) - set(english))
    assert not unused, "\n".join(["Run make texts; no code has these any more:", *unused])


@pytest.mark.parametrize("catalog", CATALOGS, ids=NAMES)
def test_a_translation_has_the_fields_of_its_text(catalog: Path) -> None:
    for text, translation in read_catalog(catalog).items():
        fields = sorted(texts.FIELD.findall(text))
        assert sorted(texts.FIELD.findall(translation)) == fields, text
        assert translation.strip() == translation != "", text
        assert text.endswith("...") == translation.endswith("..."), text


def test_no_sentence_is_put_together_of_values() -> None:
    """A sentence with values is a Message: text composed from parts cannot be translated."""
    composed = texts.find_composed()
    assert not composed, "\n".join(f"{at} {text!r}" for text, at in composed.items())


def test_fields_of_templates_are_plain_names(english: dict[str, list[str]]) -> None:
    """A field such as `{size:.1f}` would be refused in a record: numbers are formatted before."""
    odd = [text for text in english if not PLAIN.fullmatch(text)]
    assert not odd, odd


def test_texts_exempt_from_translation_are_still_in_the_code() -> None:
    literals = {
        texts.text_of(node)
        for file in texts.speaking_files()
        for node in ast.walk(texts.tree_of(file))
    }
    assert not sorted(texts.read_untranslated() - literals)


@pytest.mark.skipif(not GETTEXT, reason="GNU gettext is not installed")
@pytest.mark.parametrize("catalog", CATALOGS, ids=NAMES)
def test_gettext_finds_nothing_to_complain_about(catalog: Path, tmp_path: Path) -> None:
    """`msgfmt` reads the same translations as the add-on does."""
    compiled = tmp_path / "texts.mo"
    done = subprocess.run(
        ["msgfmt", *texts.CHECKS, f"--output-file={compiled}", str(catalog)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with compiled.open("rb") as file:
        read = gettext.GNUTranslations(file)
    for text, translation in read_catalog(catalog).items():
        assert read.gettext(text) == translation


@pytest.mark.skipif(not GETTEXT, reason="GNU gettext is not installed")
@pytest.mark.parametrize("catalog", CATALOGS, ids=NAMES)
def test_merging_the_texts_changes_no_translation(catalog: Path, tmp_path: Path) -> None:
    template, merged = tmp_path / "texts.pot", tmp_path / "merged.po"
    template.write_text(texts.template_text(), "utf-8")
    subprocess.run(
        ["msgmerge", "--quiet", f"--output-file={merged}", str(catalog), str(template)], check=True
    )
    assert read_catalog(merged) == read_catalog(catalog)


def test_entries_over_several_lines_fuzzy_and_obsolete_ones(tmp_path: Path) -> None:
    catalog = tmp_path / "xx.po"
    catalog.write_text(
        'msgid ""\nmsgstr "Language: xx\\n"\n\n'
        'msgid ""\n"A \\"long\\" "\n"text"\nmsgstr "in one line\\n"\n\n'
        '#: a.py\n#, fuzzy, python-brace-format\nmsgid "guess"\nmsgstr "wrong"\n\n'
        'msgid "new"\nmsgstr ""\n\n'
        '#~ msgid "old"\n#~ msgstr "gone"\n',
        "utf-8",
    )
    assert read_catalog(catalog) == {'A "long" text': "in one line\n"}


def test_a_language_serves_its_countries(tmp_path: Path) -> None:
    for name in ("de_DE", "pt", "sr_RS@latin"):
        (tmp_path / f"{name}.po").touch()
    found = {
        locale: path and path.stem
        for locale in ("de_DE", "de", "pt_BR", "sr_RS@latin", "sr_RS", "en_US", "", "../de_DE")
        for path in [find_catalog(locale, tmp_path)]
    }
    assert found == {
        "de_DE": "de_DE", "de": None, "pt_BR": "pt", "sr_RS@latin": "sr_RS@latin", "sr_RS": None,
        "en_US": None, "": None, "../de_DE": None,
    }  # fmt: skip
