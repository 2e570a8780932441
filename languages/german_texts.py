# SPDX-License-Identifier: GPL-3.0-or-later
"""German: what is said of texts from strangers, of names and of libraries in the way."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Rename it, or move it elsewhere.": "Benenne ihn um, oder verschiebe ihn.",
    "The folder “{job}” in the library has a name that no job has.": "Der Ordner „{job}“ in der Bibliothek heißt, wie kein Auftrag heißt.",
    "The {what} that the service gave cannot be used: “{text}”.": "Unbrauchbar, was der Dienst als {what} gab: „{text}“.",
    "Try again later; if it comes again, tell the service's support.": "Versuche es später noch einmal; kommt es wieder, sag es dem Support des Dienstes.",
}
