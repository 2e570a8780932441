# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences with names and numbers in them, recognized by their fixed words.

Errors, notes and phases come as whole English sentences: of rooms that know no Blender, of another
process, of a record that an older version wrote. So none of them carries more than its words, and
this is the one place that finds out which sentence it was.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

HOLE = "{}"
ENDS = (".", "…", "?", "!", ")")
THIN = 14
"""Under so many fixed characters a part that begins with a value has to begin with a known one, or
a number: too much else has these words in it, too."""
_BREAK = re.compile(r"(?<=[.?!…]) ")


class Sentences:
    """The sentences of one language. `{}` stands for a value, in the same order in both."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        holed = sorted((text for text in texts if HOLE in text), key=_fixed, reverse=True)
        self._patterns = [_Pattern(text, texts[text]) for text in holed]

    def said(self, text: str) -> str:
        """Return a text in this language; what is not known of it stays as it is."""
        return self._known(text) or " ".join(self._parts(text))

    def _known(self, text: str, *, within: bool = False) -> str:
        """Return a text that is known as a whole, else nothing.

        What neither begins nor ends as a sentence does is looked for `within` others alone: a
        service's own words may have any shape.
        """
        if text in self._texts:
            return self._texts[text]
        for pattern in self._patterns:
            if within or pattern.is_sentence:
                values = pattern.values(text)
                if values is not None and not (pattern.is_thin and self._is_strange(values[0])):
                    return pattern.own.format(*map(self._value, values, pattern.names))
        return ""

    def _is_strange(self, value: str) -> bool:
        return not value[:1].isdigit() and not self._known(value, within=True)

    def _value(self, value: str, is_name: bool) -> str:
        """Translate what stands in a sentence, unless it is quoted as a name."""
        if is_name:
            return value
        whole = self._known(f"{value}.").removesuffix(".")  # one that goes on without its stop
        return self._known(value, within=True) or whole or " ".join(self._parts(value))

    def _parts(self, text: str) -> Iterator[str]:
        """Yield the sentences of a text, one by one or as many together as are known as one."""
        ends = [found.start() for found in _BREAK.finditer(text)]
        for end in reversed(ends):
            if known := self._known(text[:end]):
                yield known
                yield self.said(text[end + 1 :])
                return
        if ends:
            yield text[: ends[0]]
            yield self.said(text[ends[0] + 1 :])
        else:
            yield text


class _Pattern:
    """A sentence with holes: what it looks like, and which of its values are names."""

    def __init__(self, text: str, own: str) -> None:
        self.own = own
        self.is_sentence = text.endswith(ENDS) or text[0].isupper()
        pieces = text.split(HOLE)
        self.is_thin = not self.is_sentence and not pieces[0] and _fixed(text) < THIN
        self.names = [
            before.endswith("“") and after.startswith("”")
            for before, after in itertools.pairwise(pieces)
        ]
        self._longest = max(pieces, key=len)
        self._looks = re.compile("(.*?)".join(map(re.escape, pieces)), re.DOTALL)

    def values(self, text: str) -> tuple[str, ...] | None:
        """Return what stands in the holes; None for another sentence."""
        found = self._looks.fullmatch(text) if self._longest in text else None
        return found.groups() if found else None


def _fixed(text: str) -> int:
    return len(text.replace(HOLE, ""))
