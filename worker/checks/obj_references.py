# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the files that an OBJ refers to: none outside the mesh's own folder is ever opened.

Blender's importers follow any path. A downloaded mesh could include the user's own images in the
model, or make Windows contact another machine, so paths are checked before an import. No bpy.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal
from .companion_files import OwnFiles, Stage, is_inside
from .gltf.check import MAX_MATERIALS, too_many_materials
from .image_headers import ImageBudget

MAX_LIBRARY = 16 * 1024 * 1024
MAX_LIBRARIES = 100
NOWHERE = b"a texture that is not there"
"""Replaces paths of foreign textures: no file has this name."""
_TEXTURES = (b"map_", b"bump", b"disp", b"decal", b"refl", b"norm")
# Blender's parsers treat every byte except visible ASCII as a space, and backslashes as well.
_BREAK = re.compile(rb"[^\x21-\x7e]|\\")
_NUMBER = rb"[-+.\deE]{1,30}"
_OPTIONS = re.compile(
    rb"(?:\s*-(?:(?:o|s|t)(?:\s+%b){1,3}|mm\s+%b\s+%b|(?:bm|boost|texres)\s+%b"
    rb"|(?:clamp|blendu|blendv|cc)\s+(?:on|off)|(?:imfchan|type)\s+\w{1,20}))*\s*"
    % (_NUMBER, _NUMBER, _NUMBER, _NUMBER)
)
"""Options of MTL texture statements that may precede the path."""


@dataclass(frozen=True)
class ObjToImport:
    """The OBJ file to import: the original, or a copy in a temporary folder (`is_staged`).

    `lost` is the number of references to material files outside the mesh's own folder, which the
    copy leaves out.
    """

    path: str
    lost: int = 0
    is_staged: bool = False


@contextmanager
def redirect_materials(path: str, home: Path) -> Iterator[ObjToImport]:
    """Yield the OBJ file to import: the file itself, or a copy in a temporary folder.

    A copy is made unless the importer would find exactly the mesh's own files by itself. The copy
    exists while the block runs. Raise Refusal if a limit is exceeded.
    """
    stage = Stage()
    try:
        yield _Obj(Path(path), home, stage).prepare()
    finally:
        stage.clear()


class _Obj:
    """Checks the files that an OBJ file and its material files refer to."""

    def __init__(self, mesh: Path, home: Path, stage: Stage) -> None:
        self._mesh = mesh
        self._home = home
        self._stage = stage
        self._files: dict[Path, OwnFiles] = {}
        self._lost = 0
        self._libraries: dict[Path, bytes] = {}
        self._pictures: set[Path] = set()
        self._is_plain = True

    def prepare(self) -> ObjToImport:
        """Return the file to import; raise Refusal if a limit is exceeded."""
        with self._mesh.open("rb") as file:
            if not file.seek(0, 2):
                return ObjToImport(str(self._mesh))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                used = {line.strip() for line in _lines(data, b"usemtl", MAX_MATERIALS)}
                lines = _lines(data, b"mtllib", MAX_LIBRARIES)
        if len(used) > MAX_MATERIALS:
            raise too_many_materials(len(used))
        if len(lines) > MAX_LIBRARIES:
            message = Message(
                "The OBJ file refers to more than {limit} material files.",
                limit=MAX_LIBRARIES,
            )
            raise Refusal("bad_mesh", message, OTHER_FORMAT)
        libraries = {line: self._find_library(line) for line in lines}
        # Blender also reads the material file with the mesh's own name, even without a reference.
        default = self._mesh.with_suffix(".mtl")
        if default.is_file() and not default.is_symlink():  # guard: default-materials-are-judged
            self._read(default)
        self._check()
        if self._is_plain:
            return ObjToImport(str(self._mesh))
        return self._write_stage(libraries, default)

    def _write_stage(self, libraries: dict[bytes, Path | None], default: Path) -> ObjToImport:
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
        return ObjToImport(str(folder / "mesh.obj"), self._lost, is_staged=True)

    def _files_of(self, folder: Path) -> OwnFiles:
        return self._files.setdefault(folder, OwnFiles(folder, self._home))

    def _find_library(self, line: bytes) -> Path | None:
        """Return the material file that a line refers to, None if it is not the mesh's own.

        Also read the file, record whether the line must change, and count a path that leads out of
        `home` as lost.
        """
        argument = line.partition(b"mtllib")[2]
        # Undecodable bytes are kept: the importer opens such files, too.
        name = argument.decode("utf-8", "surrogateescape").strip()  # guard: odd-material-names
        plain, files = name.strip(' "'), self._files_of(self._mesh.parent)
        # A trailing backslash continues the line, which is not handled here.
        leads = not name.endswith("\\") and is_inside(plain, self._mesh.parent, self._home)
        path = None if name.endswith("\\") else files.find(plain)
        self._is_plain &= leads and path == files.find_exact(plain)
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
            message = Message(
                "A material file is larger than {size} MB.",
                size=MAX_LIBRARY >> 20,
            )
            raise Refusal("bad_mesh", message, OTHER_FORMAT)
        self._libraries[path] = text
        for line in self._lines_of(path):
            self._is_plain &= self._needs_no_change(line, path.parent)

    def _lines_of(self, path: Path) -> list[bytes]:
        return re.split(rb"(?<=\n)", self._libraries[path])

    def _check(self) -> None:
        """Raise Refusal for too many materials, or for textures that `ImageBudget` refuses."""
        text = b"".join(self._libraries.values())
        count = len(re.findall(rb"(?:^|\n)[^\x21-\x7e]*newmtl", text))
        if count > MAX_MATERIALS:  # guard: obj-materials-are-bounded
            raise too_many_materials(count)
        pictures = ImageBudget()
        for path in self._pictures:
            pictures.add_file(path)  # guard: obj-textures-are-counted

    def _needs_no_change(self, line: bytes, folder: Path) -> bool:
        """Return whether an importer that follows the line opens the mesh's own texture or nothing.

        Return True for a line without a texture. Also record the texture for `_check`.
        """
        rests = _path_candidates(line)
        if not rests:
            return True
        files = self._files_of(folder)
        # All of them: which tail a parser takes for the path depends on the options it knows.
        leads = all(is_inside(rest, folder, self._home) for _, rest in rests)
        texture = self._find_texture(rests, files)
        # A file may exist there and not be the mesh's own, such as a symbolic link.
        if texture is None:
            return leads and not any((folder / rest).exists() for _, rest in rests if rest)
        self._pictures.add(texture[1])
        return leads and any(files.find_exact(rest) for _, rest in rests)

    def _texture(self, line: bytes, folder: Path) -> bytes:
        """Return a line of a material file as it is written to the stage.

        If the line names a texture, its path becomes that of a copy, or NOWHERE if the texture is
        not the mesh's own. Any other line is returned unchanged.
        """
        rests = _path_candidates(line)
        if not rests:
            return line
        keyword = _BREAK.sub(b" ", line).split()[0]
        texture = self._find_texture(rests, self._files_of(folder))
        if texture is None:
            return keyword + b" " + NOWHERE + b"\n"
        start, path = texture
        options_text = line[line.index(keyword) + len(keyword) : start]
        options = options_text.strip() if _OPTIONS.fullmatch(options_text) else b""
        words = (keyword, options, self._stage.put(path).encode())
        return b" ".join(word for word in words if word) + b"\n"

    def _find_texture(
        self, rests: list[tuple[int, str]], files: OwnFiles
    ) -> tuple[int, Path] | None:
        """Return the offset of a texture's path in its line, and the texture's file.

        `rests` are the line's `_path_candidates`. Return None if the texture is not the mesh's own.
        """
        for search in (files.find_exact, files.find):
            matches = [(start, search(rest)) for start, rest in rests]
            path = next((path for _, path in matches if path is not None), None)
            if path is not None:  # The shortest tail: options precede it.
                return max(start for start, match in matches if match == path), path
        return None


def _path_candidates(line: bytes) -> list[tuple[int, str]]:
    """Return (offset, text) of each tail of a texture line that may be its path, longest first.

    The list is empty for other lines.
    """
    words = _BREAK.sub(b" ", line).split()
    if len(words) < 2 or not words[0].lower().startswith(_TEXTURES):
        return []
    begin = line.index(words[0]) + len(words[0])
    starts = [match.end() for match in _BREAK.finditer(line) if match.end() > begin]
    texts = [(start, line[start:].decode("utf-8", "surrogateescape")) for start in starts]
    return [(start, text.strip(' "\r\n\t')) for start, text in texts]


def _lines(data: mmap.mmap, keyword: bytes, limit: int) -> set[bytes]:
    """Return the distinct lines that start with a keyword, at most one more than `limit`."""
    lines: set[bytes] = set()
    at = data.find(keyword)
    # One line beyond the limit is enough for the caller to refuse the file.
    while at >= 0 and len(lines) <= limit:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end + 1
        before = data[start:at]
        if not any(0x20 < byte < 0x80 and byte != 0x5C for byte in before):
            lines.add(data[start:end])
        at = data.find(keyword, end)
    return lines
