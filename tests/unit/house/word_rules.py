# SPDX-License-Identifier: GPL-3.0-or-later
"""The words and forms that are banned from the code, each with what to write instead, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

# -- names -----------------------------------------------------------------------------------------

VARIABLES = {
    "one": "name the element: provider, record, path",
    "thing": "name the element: obj, image, material",
    "things": "name the elements: objects, images, materials",
    "what": "name the value: kwargs, message, kind",
    "each": "name the element: folder, line, face",
}
"""Variables and parameters that say nothing about what they hold."""

WORDS = {
    "turn": "it meant to rotate, a slot at a service and a tick of a timer: use one of these",
    "settle": "use resolve (an order), drain (events), join (threads), fsync (files)",
    "look": "use poll (a service), inspect (an image), refresh (an index)",
    "care": "use edits (of a mesh) or cleanup",
    "mend": "use cleanup",
    "anew": "use again",
    "whoever": "name the role: user, artist, caller",
    "person": "use user or artist",
    "enquiry": "use query",
    "darkroom": "use image_checks or edit_image",
    "colour": "American English: color",
    "grey": "American English: gray",
    "metre": "American English: meter",
    "catalogue": "American English: catalog; the library has an index",
    "behaviour": "American English: behavior",
    "centre": "American English: center",
    "licence": "American English: license",
    "neighbour": "American English: neighbor",
    "favour": "American English: favor",
    "honour": "American English: honor",
    "recognise": "American English: recognize",
    "normalise": "American English: normalize",
    "initialise": "American English: initialize",
    "serialise": "American English: serialize",
    "optimise": "American English: optimize",
}
"""Words that no identifier holds, in any of their forms."""

BARE = {
    "background": "say whose: worker, background_process, image_background, remove_background",
    "origin": "say which: provenance, validators (of a download), world_origin",
    "parts": "use mesh_parts, chunks (of a large mesh), pieces",
}
"""Words that need another one beside them: alone they had several meanings."""

PUBLIC = {
    "settle": "the operator and the command of this name are public",
    "IMAGE_TO_MESH_OT_settle": "the class of a public operator carries its name",
    "IMAGE_TO_MESH_OT_turn": "the class of an operator that scripts of 0.1.0 may call",
    "IMAGE_TO_MESH_OT_turn_page": "the class of an operator that scripts of 0.1.0 may call",
    "IMAGE_TO_MESH_OT_stop_care": "the class of an operator that scripts of 0.1.0 may call",
    "mending": "a property of the scene, which .blend files and presets of 0.1.0 hold",
    "IMAGE_TO_MESH_PG_mending": "the type of that property: Blender keeps its name in files",
    "care": "a property of the scene, which .blend files and presets of 0.1.0 hold",
    "IMAGE_TO_MESH_PG_care": "the type of that property: Blender keeps its name in files",
    "IMAGE_TO_MESH_PT_care": "a panel: workspaces keep its name, and whether it is open",
    "view_left": "a property of the scene: the view from the left",
    "turns": "a key of the preferences of 0.1.0",
    "do_remove_background": "a field of a service",
    "generate_parts": "a field of a service",
    "running_left_time": "a field of a service",
    "generateParts": "a field of a service",
    "in_parts": "a key of job.json",
}
"""Names that others rely on: scripts, records, .blend files, services."""

PUBLIC_IN = {
    ("worker/prepare/preview.py", "look"): "a property of Blender's",
    ("providers/_scenario/replies.py", "parts"): "a field of a service",
    ("operators/images/edit.py", "background"): "an argument of the operator `develop`",
    ("panels/image_checks.py", "background"): "the same, set on its button",
    ("panels/menus.py", "background"): "the same, in a menu",
}
"""Such names that are allowed in one file only: elsewhere they would be ambiguous."""

IRREGULAR = frozenset({
    "begun", "bought", "brought", "built", "caught", "chosen", "come", "done", "drawn",
    "fallen", "felt", "found", "given", "gone", "grown", "held", "kept", "known", "laid",
    "left", "led", "lost", "made", "meant", "met", "paid", "said", "seen", "sent", "shown",
    "sold", "spoken", "stood", "taken", "taught", "thought", "thrown", "told", "understood",
    "won", "written"
})  # fmt: skip
PARTICIPLES = {
    "cancelled": "concurrent.futures names it so",
    "done": "concurrent.futures and threading name it so",
    "need": "the verb",
    "speed": "the noun",
    "feed": "the verb",
    "seed": "the noun",
    "embed": "the verb",
    "proceed": "the verb",
    "exceed": "the verb",
}
"""Participles that are allowed as a function's name, and why."""


def is_participle(name: str) -> bool:
    """Tell whether a function's name is one participle and nothing else."""
    word = name.strip("_")
    return word not in PARTICIPLES and (
        word in IRREGULAR or (word.endswith("ed") and len(word) > 3 and "_" not in word)
    )


def words_of(name: str) -> list[str]:
    """Split an identifier at underscores and at capitals, in lower case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def is_form_of(word: str, stem: str) -> bool:
    """Tell whether a word is a stem or one of its regular forms."""
    return word in _forms(stem)


@cache
def _forms(stem: str) -> frozenset[str]:
    bare = stem.removesuffix("e")
    endings = ("s", "ed", "ing", "ings", "er")
    return frozenset({
        stem, *(stem + end for end in (*endings, "d")), *(bare + end for end in endings)
    })  # fmt: skip


# -- prose -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phrase:
    """A pattern of words that is banned from comments, docstrings and names of tests."""

    pattern: re.Pattern[str]
    instead: str


def _phrase(pattern: str, instead: str) -> Phrase:
    return Phrase(re.compile(pattern, re.IGNORECASE), instead)


PHRASES = (
    _phrase(r"\banew\b", "again"),
    _phrase(r"\ball the same\b", "anyway, still"),
    # With its case: `is None` is Python's.
    Phrase(re.compile(r"\b(is|are|was|were) none\b"), "say what it is, or that it does not exist"),
    _phrase(r"\bso many\b", "this many, up to N"),
    _phrase(r"\b(the|a|every|no) person\b", "the user, the artist"),
    _phrase(r"\bwhoever\b", "name the role: the user, the caller"),
    _phrase(r"\bwhatever\b", "any, no matter which"),
    _phrase(r"\b(go|goes|going|gone|went) on with\b", "resume, continue"),
    _phrase(r"\b(come|comes|coming|came) in\b", "is imported, arrives"),
    _phrase(r"\btold\b", "say who does what: reported, recognized, passed"),
    _phrase(r"\bin the way\b", "blocks, conflicts, prevents"),
    _phrase(r"\blet (the|a|an|[a-z_`.]+) [\w` ]*\bbe\b", "a direct verb"),
    _phrase(r"\bof which\b", "whose, or two sentences"),
    _phrase(r"\bwhat (becomes|became|comes) (of|out)\b", "the outcome, the result"),
    _phrase(r"\bin vain\b", "without success"),
    _phrase(r"\b(take|takes|taken|took|taking) up\b", "resume, continue"),
    _phrase(r"\b(mend|mends|mended|mending)\b", "clean up"),
    _phrase(r"\bwelded?\b", "merge"),
    _phrase(r"\bno \w+ of (its|their|ours|theirs) own\b", "say what is there instead"),
)

ANY_PHRASE = re.compile("|".join(phrase.pattern.pattern for phrase in PHRASES), re.IGNORECASE)
"""Finds at least what the phrases find, in one pass."""

OPENERS = (
    _phrase(r"^(What|Whoever|Who|Where) (?!if\b).*[^?]$", "a noun phrase or a verb, not a clause"),
)
"""How the first line of a docstring does not begin."""
