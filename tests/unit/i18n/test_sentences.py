# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product says, in German: every sentence, each recognized, none left over."""

from __future__ import annotations

import errno
import os
from collections import Counter

import pytest
from unit.sentences import said_in, speaking, templates

from image_to_mesh import i18n
from image_to_mesh.i18n import (
    german_interface,
    german_jobs,
    german_models,
    german_network,
    german_operators,
    german_pictures,
    german_services,
    german_texts,
    german_tooltips,
)
from image_to_mesh.i18n.sentences import Sentences
from image_to_mesh.jobs import State

pytestmark = pytest.mark.once

GERMAN = Sentences(i18n.SENTENCES["de_DE"])
KNOWN = set(map(i18n.unnamed, i18n.GERMAN))
FILES = (
    german_jobs,
    german_models,
    german_network,
    german_operators,
    german_pictures,
    german_services,
    german_texts,
)
NOT_SAID = frozenset(
    {
        # Names and paths of files, and of what lies in them.
        "Library/Application Support/Steam/steamapps/common/Blender/Blender.app/{}",
        "Application Support",
        "Blender Foundation/Blender*/blender.exe",
        "Base Color",
        "base color",
        "Before Image to Mesh",
        "Made by",
        "See the terms of {}{}, and the rights in the picture",
        "The rights are those in the picture",
        "keys that are set",
        "settings = bpy.context.scene.image_to_mesh.{}",
        "{} (replaced)",
        "{} LOD0",
        "{} LOD{}",
        "{} prepared",
        # Names of threads, words that are looked for, headers.
        "(^|[\\s:])model:|\\bmodel\\b.*\\bnot (found|available|supported)\\b|unknown model",
        "Basic {}",
        "Bearer {}",
        "Traceback (most recent call last):",
        "care for %s",
        "extension modules",
        "float | None",
        "free.tier|free limit|subscription",
        "image_to_mesh put away",
        "image_to_mesh returning",
        "image_to_mesh {}",
        "nsfw|safety|content policy|moderation|prohibited|inappropriate|flagged",
        "run out|out of (funds|credits)|insufficient|not enough|top.?up|no credits",
        "unable to find",
        "{}|received ['\\\"]{}['\\\"]",
        # Units, and names that are the same in every language.
        "AVIF textures",
        "Compute Units",
        "DDS textures",
        "Draco compression",
        "Gaussian splats",
        "KTX2 textures",
        "Meshopt compression",
        "Tripo v2",
        "Turbo 1.0",
        "{} MB",
        "{} kB",
        "{} min {} s",
        "{} mm",
        "{} px",
        # What a bug report or a log holds, which developers read.
        "A file in the answer",
        "Blender {}",
        "Job {}",
        "No job",
        "Scenario's job",
        "Scenario's {}",
        "The balance",
        "The cost",
        "The job's ticket",
        "The order",
        "The record of job “{}”",
        "an event of job %s",
        "heartbeat step %s",
        "job %s: %s",
        "the whole reply",
        "{}, provider {}, error {}",
        # Numbers in a glTF file's head, by its own words.
        "a buffer's length",
        "a count",
        "a stride",
        "a view's length",
        "a view's offset",
        "an accessor's offset",
        # Filled in where they are registered; see tests/blender/i18n/test_texts.py.
        "Empty for {}, or for {} where it is set",
        "Kept in your preferences; empty takes {} instead",
        "The same subject, seen from its {}",
        "{}. Off: the service decides",
        # Properties that no panel shows.
        "How far the models of each provider are turned when they come in",
        "Import Defaults",
        "What new scenes begin with",
    }
)
"""Literals with a space in them that no person reads, or that are the same in German."""
SYSTEM = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT)


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    """Every sentence with its place in the code."""
    others = {state.value: "jobs" for state in State if state is not State.READY}
    others |= {State.READY.value: "jobs"} | {os.strerror(one): "system" for one in SYSTEM}
    return said_in(speaking()) | others


def test_every_sentence_has_its_german(english: dict[str, str]) -> None:
    missing = {text: at for text, at in english.items() if text not in KNOWN}
    forgotten = sorted(f"{at} {text!r}" for text, at in missing.items() if text not in NOT_SAID)
    assert not forgotten, "\n".join(["No German in languages/german_*.py for:", *forgotten])


def test_every_template_has_its_german_with_the_same_fields() -> None:
    for template, at in templates(speaking()).items():
        assert template in i18n.GERMAN, f"{at}: no German for the template {template!r}"
        fields = i18n.FIELD.findall(template)
        assert fields == i18n.FIELD.findall(i18n.GERMAN[template]), template


def test_no_sentence_is_left_over(english: dict[str, str]) -> None:
    ours = {i18n.unnamed(text) for file in FILES for text in file.TEXTS}
    assert not sorted(ours - set(english)), "nobody says this any more"
    assert not sorted(NOT_SAID - set(english))
    assert not sorted(NOT_SAID & set(i18n.GERMAN))


def test_each_sentence_is_translated_in_one_file_only() -> None:
    counted = Counter(
        text for file in (*FILES, german_interface, german_tooltips) for text in file.TEXTS
    )
    assert not [text for text, number in counted.items() if number > 1]


def test_two_fields_of_a_template_never_touch() -> None:
    """What stands side by side could not be told apart when a sentence is recognized."""
    assert not [text for text in i18n.SENTENCES["de_DE"] if "{}{}" in text]


def test_every_sentence_is_recognized_with_its_values() -> None:
    for file in FILES:
        for text, own in i18n.recognizable(file.TEXTS).items():
            values = [f"Zq{number}" for number in range(text.count("{}"))]
            said = GERMAN.said(text.format(*values))
            if _stands_alone(text):
                assert said == own.format(*values), text


def _stands_alone(text: str) -> bool:
    """Say whether it comes by itself: as a sentence or a title does, and no part of one."""
    return text[0].isupper() or text.endswith(".")


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "openapi.tripo3d.ai cannot be reached: no answer in time.",
            "openapi.tripo3d.ai ist nicht erreichbar: keine Antwort in der erlaubten Zeit.",
        ),
        (
            "Tripo could not make the mesh (failed) (task 7f, error 2002).",
            "Tripo konnte das Mesh nicht machen (misslungen) (Aufgabe 7f, Fehler 2002).",
        ),
        (
            "Tripo answered 404 (request id 9f).",
            "Tripo antwortete 404 (Anfrage 9f).",
        ),
        (
            "The head is odd, they say (task 7f).",
            "The head is odd, they say (Aufgabe 7f).",
        ),
        (
            "Try another picture or other settings. Tripo does not charge for it.",
            "Versuche es mit einem anderen Bild oder anderen Werten. Tripo berechnet es nicht.",
        ),
        (
            "Faces (face_limit) cannot be “-1”.",
            "Flächen (face_limit) kann nicht „-1“ sein.",
        ),
        (
            "It takes a whole number from 48 to 20000.",
            "Möglich: eine ganze Zahl von 48 bis 20000.",
        ),
        (
            "vase is sent as JPEG, 4096 × 3072 pixels: it is 8192 × 6144 pixels.",
            "vase wird als JPEG gesendet, 4096 × 3072 Pixel: es hat 8192 × 6144 Pixel.",
        ),
        (
            "The mesh file is damaged: an accessor of 1,200 values reaches beyond its data.",
            (
                "Die Mesh-Datei ist beschädigt: "
                "ein Accessor mit 1,200 Werten reicht über seine Daten hinaus."
            ),
        ),
        (
            "2 thin parts were left out: raise Faces, lower Smoothness, or use a larger picture.",
            (
                "2 dünne Teile wurden weggelassen: "
                "Erhöhe Flächen, senke Glättung, oder nimm ein größeres Bild."
            ),
        ),
        (
            "The background Blender ended unexpectedly (SIGSEGV). Its last words: out of memory",
            (
                "Das Blender im Hintergrund endete unerwartet (SIGSEGV). "
                "Seine letzten Worte: out of memory"
            ),
        ),
        (
            "“Relief” is uncertain: there is nothing to go on.",
            "„Relief“ ist ungewiss: Es gibt nichts fortzusetzen.",
        ),
        (
            "Model 1.4 has no Texture Quality: reset it, or choose another model.",
            "Modell 1.4 hat kein Texturqualität: Setze es zurück, oder wähle ein anderes Modell.",
        ),
        (
            "Your plan ends soon. Scenario answered 502. It may have taken the order.",
            (
                "Your plan ends soon. Scenario antwortete 502. "
                "Die Bestellung kann trotzdem angenommen sein."
            ),
        ),
    ],
)
def test_sentences_are_translated_as_they_are_shown(english: str, german: str) -> None:
    assert GERMAN.said(english) == german


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A sentence that nobody knows.",
        "Choose from 3 to 5",
        "nothing, at all, 4 or more",
        "Two of them. And no end",
        "?! . ",
    ],
)
def test_an_unknown_sentence_is_shown_unchanged(text: str) -> None:
    assert GERMAN.said(text) == text


def test_a_quoted_name_is_not_translated() -> None:
    texts = {"Cube": "Würfel", "“{}” is a {}.": "„{}“ ist ein {}."}
    assert Sentences(texts).said("“Cube” is a Cube.") == "„Cube“ ist ein Würfel."


def test_the_sentence_with_more_fixed_words_wins() -> None:
    texts = {"{} is {}.": "{} ist {}.", "{} is {}, too.": "Auch {} ist {}."}
    assert Sentences(texts).said("It is late, too.") == "Auch It ist late."


def test_few_words_within_a_sentence_need_a_number_or_a_known_value_first() -> None:
    texts = {"a page": "eine Seite", "{} to {}": "{} bis {}", "It says {}.": "Es sagt {}."}
    said = Sentences(texts).said
    assert said("It says 3 to 4.") == "Es sagt 3 bis 4."
    assert said("It says a page to 4.") == "Es sagt eine Seite bis 4."
    assert said("It says go to 4.") == "Es sagt go to 4."
