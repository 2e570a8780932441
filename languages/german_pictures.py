# SPDX-License-Identifier: GPL-3.0-or-later
"""German: what is said of pictures, of their views, and of an order that is there already."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Blender broke off while it looked at {name}.": "Blender brach ab, als es {name} ansah.",
    "Clear Views": "Ansichten entfernen",
    "JPEG 2000": "JPEG 2000",
    "Keep Views": "Ansichten behalten",
    "Other Views: {}": "Weitere Ansichten: {}",
    "The other views show the same subject as the picture: use them with it": "Die weiteren Ansichten zeigen dasselbe Motiv wie das Bild: Nimm sie mit dazu",
    "The other views were chosen for another picture: keep or clear them": "Die weiteren Ansichten wurden für ein anderes Bild gewählt: Behalte oder entferne sie",
    "The other views were of another picture: they are cleared": "Die weiteren Ansichten waren von einem anderen Bild: Sie sind entfernt",
    "They were chosen for another picture": "Sie wurden für ein anderes Bild gewählt",
    "Use a picture in which something can be seen.": "Nimm ein Bild, auf dem etwas zu sehen ist.",
    "Use another picture; save this one as PNG if it looks right elsewhere.": "Nimm ein anderes Bild; speichere dieses als PNG, wenn es anderswo richtig aussieht.",
    "Use the picture alone; the images of the other views stay in the file": "Nimm das Bild allein; die Bilder der weiteren Ansichten bleiben in der Datei",
    "a Blender file": "eine Blender-Datei",
    "a DDS texture": "eine DDS-Textur",
    "a GIF": "ein GIF",
    "a HEIC photo": "ein HEIC-Foto",
    "a JPEG XL picture": "ein JPEG-XL-Bild",
    "a PDF": "ein PDF",
    "a QOI picture": "ein QOI-Bild",
    "a ZIP archive": "ein ZIP-Archiv",
    "a camera's raw photo": "ein Rohbild einer Kamera",
    "a movie": "ein Film",
    "an AVIF picture": "ein AVIF-Bild",
    "an icon": "ein Symbol",
    "its metadata cannot be taken out otherwise": "seine Metadaten lassen sich anders nicht entfernen",
    "{name} cannot be decoded.": "{name} lässt sich nicht decodieren.",
    "{name} is fully transparent.": "{name} ist ganz durchsichtig.",
    "{name} shows nothing but one color.": "{name} zeigt nichts als eine Farbe.",
    "{} was sent without a look at it: no Blender was found.": "{} wurde ungesehen gesendet: Es wurde kein Blender gefunden.",
}
