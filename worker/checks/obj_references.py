# SPDX-License-Identifier: GPL-3.0-or-later
"""The other files that an OBJ names: none outside of the mesh's own folder is ever opened.

Blender's importers follow any address. A downloaded mesh could pull the user's own pictures into
the model, or make Windows call at another machine, so addresses are judged before the importers
see them. Nothing here imports bpy.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal
from .companion_files import OwnFiles, Stage, leads_into
from .gltf.check import MAX_MATERIALS, too_many_materials
from .image_headers import Pictures

MAX_LIBRARY = 16 * 1024 * 1024
MAX_LIBRARIES = 100
NOWHERE = b"a texture that is not there"
_TEXTURES = (b"map_", b"bump", b"disp", b"decal", b"refl", b"norm")
# To Blender's readers every byte but the visible ASCII, and the backslash, is a space.
_BREAK = re.compile(rb"[^\x21-\x7e]|\\")
_NUMBER = rb"[-+.\deE]{1,30}"
_OPTIONS = re.compile(
    rb"(?:\s*-(?:(?:o|s|t)(?:\s+%b){1,3}|mm\s+%b\s+%b|(?:bm|boost|texres)\s+%b"
    rb"|(?:clamp|blendu|blendv|cc)\s+(?:on|off)|(?:imfchan|type)\s+\w{1,20}))*\s*"
    % (_NUMBER, _NUMBER, _NUMBER, _NUMBER)
)


@dataclass(frozen=True)
class Shown:
    """The OBJ file to import, and how many of its material files were left out."""

    path: str
    lost: int = 0
    is_staged: bool = False


@contextmanager
def without_outside_materials(path: str, home: Path) -> Iterator[Shown]:
    """Give the OBJ file to import, while the block lasts.

    That is the file itself where its importer finds all of its files, and no other; else a copy
    on a stage. Raise Refusal for what is too much to judge or to open.
    """
    stage = Stage()
    try:
        yield _Obj(Path(path), home, stage).shown()
    finally:
        stage.clear()


class _Obj:
    """Judges what an OBJ file and its material files name."""

    def __init__(self, mesh: Path, home: Path, stage: Stage) -> None:
        self._mesh = mesh
        self._home = home
        self._stage = stage
        self._files: dict[Path, OwnFiles] = {}
        self._lost = 0
        self._libraries: dict[Path, bytes] = {}
        self._pictures: set[Path] = set()
        self._is_plain = True

    def shown(self) -> Shown:
        """Return what is to be imported."""
        with self._mesh.open("rb") as file:
            if not file.seek(0, 2):
                return Shown(str(self._mesh))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                used = {line.strip() for line in _lines(data, b"usemtl", MAX_MATERIALS)}
                lines = _lines(data, b"mtllib", MAX_LIBRARIES)
        if len(used) > MAX_MATERIALS:
            raise too_many_materials(len(used))
        if len(lines) > MAX_LIBRARIES:
            what = Message(
                "The mesh names more than {limit} material files.",
                limit=MAX_LIBRARIES,
            )
            raise Refusal("bad_mesh", what, OTHER_FORMAT)
        libraries = {line: self._library_of(line) for line in lines}
        # Blender reads the one of the mesh's own name as well, whether it is named or not.
        default = self._mesh.with_suffix(".mtl")
        if default.is_file() and not default.is_symlink():  # guard: default-materials-are-judged
            self._read(default)
        self._check()
        if self._is_plain:
            return Shown(str(self._mesh))
        return self._staged(libraries, default)

    def _staged(self, libraries: dict[bytes, Path | None], default: Path) -> Shown:
        folder = self._stage.folder
        names = {path: f"m{number}.mtl" for number, path in enumerate(self._libraries)}
        if default in names:
            names[default] = "mesh.mtl"
        for path, name in names.items():
            judged = (self._texture(line, path.parent) for line in self._lines_of(path))
            (folder / name).write_bytes(b"".join(judged))
        changed = {
            line: b"mtllib " + names[path].encode() + b"\n" if path else b"\n"
            for line, path in libraries.items()
        }
        with self._mesh.open("rb") as file, (folder / "mesh.obj").open("wb") as out:
            out.writelines(changed.get(line, line) for line in file)
        return Shown(str(folder / "mesh.obj"), self._lost, is_staged=True)

    def _files_of(self, folder: Path) -> OwnFiles:
        return self._files.setdefault(folder, OwnFiles(folder, self._home))

    def _library_of(self, line: bytes) -> Path | None:
        """Return the material file that a line names; None where it is none of the mesh's own."""
        behind = line.partition(b"mtllib")[2]
        # As the system names files: one that is not UTF-8 is opened by the importer, too.
        name = behind.decode("utf-8", "surrogateescape").strip()  # guard: odd-material-names
        plain, files = name.strip(' "'), self._files_of(self._mesh.parent)
        # After a backslash it reads on in the next line, which is not seen here.
        leads = not name.endswith("\\") and leads_into(plain, self._mesh.parent, self._home)
        path = None if name.endswith("\\") else files.found(plain)
        self._is_plain &= leads and path == files.exact(plain)
        if path is not None:
            self._read(path)
        elif not leads:
            self._lost += 1
        return path

    def _read(self, path: Path) -> None:
        if path in self._libraries:
            return
        with path.open("rb") as file:
            text = file.read(MAX_LIBRARY + 1)
        if len(text) > MAX_LIBRARY:  # guard: long-material-file-is-refused
            what = Message(
                "A material file of the mesh has more than {size} MB.",
                size=MAX_LIBRARY >> 20,
            )
            raise Refusal("bad_mesh", what, OTHER_FORMAT)
        self._libraries[path] = text
        for line in self._lines_of(path):
            self._is_plain &= self._is_as_it_should_be(line, path.parent)

    def _lines_of(self, path: Path) -> list[bytes]:
        return re.split(rb"(?<=\n)", self._libraries[path])

    def _check(self) -> None:
        """Hold the number of materials, and the pictures once decoded, against their limits."""
        every = b"".join(self._libraries.values())
        found = len(re.findall(rb"(?:^|\n)[^\x21-\x7e]*newmtl", every))
        if found > MAX_MATERIALS:  # guard: obj-materials-are-bounded
            raise too_many_materials(found)
        pictures = Pictures()
        for path in self._pictures:
            pictures.add_file(path)  # guard: obj-textures-are-counted

    def _is_as_it_should_be(self, line: bytes, folder: Path) -> bool:
        """Say whether the importer finds the line's texture, and no other, by itself."""
        rests = _rests(line)
        if not rests:
            return True
        files = self._files_of(folder)
        leads = all(leads_into(rest, folder, self._home) for _, rest in rests)
        found = self._meant(rests, files)
        if found is None:
            return leads and not any((folder / rest).exists() for _, rest in rests if rest)
        self._pictures.add(found[1])
        return leads and any(files.exact(rest) for _, rest in rests)

    def _texture(self, line: bytes, folder: Path) -> bytes:
        """Return a line as it stands on the stage; options may stand before a texture's name."""
        rests = _rests(line)
        if not rests:
            return line
        keyword = _BREAK.sub(b" ", line).split()[0]
        found = self._meant(rests, self._files_of(folder))
        if found is None:
            return keyword + b" " + NOWHERE + b"\n"
        start, path = found
        between = line[line.index(keyword) + len(keyword) : start]
        options = between.strip() if _OPTIONS.fullmatch(between) else b""
        words = (keyword, options, self._stage.put(path).encode())
        return b" ".join(word for word in words if word) + b"\n"

    def _meant(self, rests: list[tuple[int, str]], files: OwnFiles) -> tuple[int, Path] | None:
        """Return where a texture's name begins in a line, and the file that it means."""
        for look in (files.exact, files.found):
            found = [(start, look(rest)) for start, rest in rests]
            path = next((path for _, path in found if path is not None), None)
            if path is not None:  # From the last place on: what stands before it are options.
                return max(start for start, other in found if other == path), path
        return None


def _rests(line: bytes) -> list[tuple[int, str]]:
    """Return what may be the name in a line of a texture, and where it begins; longest first."""
    words = _BREAK.sub(b" ", line).split()
    if len(words) < 2 or not words[0].lower().startswith(_TEXTURES):
        return []
    begin = line.index(words[0]) + len(words[0])
    starts = [found.end() for found in _BREAK.finditer(line) if found.end() > begin]
    texts = [(start, line[start:].decode("utf-8", "surrogateescape")) for start in starts]
    return [(start, text.strip(' "\r\n\t')) for start, text in texts]


def _lines(data: mmap.mmap, word: bytes, most: int) -> set[bytes]:
    """Return the lines that begin with a word, without going through all the others."""
    lines: set[bytes] = set()
    at = data.find(word)
    while at >= 0 and len(lines) <= most:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end + 1
        before = data[start:at]
        if not any(0x20 < byte < 0x80 and byte != 0x5C for byte in before):
            lines.add(data[start:end])
        at = data.find(word, end)
    return lines
