# SPDX-License-Identifier: GPL-3.0-or-later
"""German: what is said of texts from strangers, of names and of libraries in the way."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Another {module} is in the way, in {file}: {reason}.": "Ein anderes {module} steht im Weg, in {file}: {reason}.",
    "Install Image to Mesh again.": "Installiere Bild zu Mesh noch einmal.",
    "it is version {}, and {} or newer is needed": "Es ist Version {}, nötig ist {} oder neuer",
    "Rename it, or move it elsewhere.": "Benenne ihn um, oder verschiebe ihn.",
    "The folder “{job}” in the library has a name that no job has.": "Der Ordner „{job}“ in der Bibliothek heißt, wie kein Auftrag heißt.",
    "The Python module {module} is missing: {reason}.": "Das Python-Modul {module} fehlt: {reason}.",
    "The {module} of the add-on “{owner}” is in the way, in {file}: {reason}.": "Das {module} des Add-ons „{owner}“ steht im Weg, in {file}: {reason}.",
    "The {what} that the service gave cannot be used: “{text}”.": "Unbrauchbar, was der Dienst als {what} gab: „{text}“.",
    "Update it or take it away (PYTHONPATH, Blender's scripts/modules), then start again.": "Aktualisiere es, oder nimm es weg (PYTHONPATH, Blenders scripts/modules), dann starte neu.",
    "Update or disable “{owner}”, then restart Blender.": "Aktualisiere oder deaktiviere „{owner}“, dann starte Blender neu.",
    "Try again later; if it comes again, tell the service's support.": "Versuche es später noch einmal; kommt es wieder, sag es dem Support des Dienstes.",
}
