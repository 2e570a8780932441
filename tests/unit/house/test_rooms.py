# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms and the arrows between them: who may import whom, read from the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import package
import pytest
from fakes.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = "image_to_mesh"
BLENDER = frozenset({"addon_utils", "bl_math", "bl_operators", "blf", "bmesh", "bpy", "bpy_extras",
                     "gpu", "mathutils"})  # fmt: skip
# Modules of the standard library that read, write or start something.
IO = frozenset({"io", "multiprocessing", "os", "pathlib", "shutil", "socket", "subprocess",
                "tempfile", "urllib.request"})  # fmt: skip


@dataclass(frozen=True)
class Room:
    """The rules of a room: imports of ours and of others, and forbidden standard modules."""

    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


def _room(
    *ours: str, others: frozenset[str] = frozenset(), never: frozenset[str] = frozenset()
) -> Room:
    return Room(frozenset(ours), others, never)


THREADS = frozenset({"threading", "_thread", "concurrent"})
READ_BY_BOTH = ("preferences", "state", "i18n", "jobs", "providers")
ROOMS: dict[str, Room] = {
    "providers": _room(
        others=frozenset({"annotated_types", "pydantic", "requests", "urllib3"}), never=THREADS
    ),
    "jobs": _room("providers", others=frozenset({"filelock", "pydantic", "send2trash"})),
    "cli": _room("jobs", "providers"),
    # Another process than the artist's Blender: a thread there watches for the end of its input.
    "worker": _room(others=BLENDER | {"numpy"}),
    "scene": _room("worker", "jobs", "providers", others=BLENDER | {"numpy"}, never=THREADS),
    "i18n": _room("providers", others=BLENDER, never=THREADS | IO),
    "preferences": _room("i18n", "jobs", "providers", others=BLENDER, never=THREADS),
    "state": _room("preferences", "i18n", "jobs", "providers", others=BLENDER, never=THREADS | IO),
    # Blender runs these files where a preset is chosen.
    "presets": _room(others=BLENDER, never=THREADS | IO),
    "viewport": _room("state", "jobs", others=BLENDER | {"gpu_extras"}, never=THREADS | IO),
    "app": _room(*READ_BY_BOTH, "scene", "viewport", others=BLENDER),
    "operators": _room(*READ_BY_BOTH, "app", "scene", others=BLENDER),
    "panels": _room(*READ_BY_BOTH, others=BLENDER, never=THREADS | IO),
    # Connects the rooms; `import image_to_mesh` imports only what is at its top.
    "": _room("cli", "preferences", "providers", "scene", others=BLENDER, never=THREADS | IO),
}
# The files of a room that may use what their neighbors may not.
ALONE = {
    "requests": ("providers/_shared/http/transport.py",),
    "send2trash": ("jobs/disk/trash.py",),
    "urllib3": ("providers/_shared/http/connections.py",),
}
HEAVY = frozenset({"filelock", "pydantic", "send2trash"})
# Reads its own folder's name once, so that draw() has the manual's address as a text.
PLACES = {"i18n/catalog.py": "pathlib", "state/manual.py": "pathlib"}
# What a panel sets while it draws belongs to the layout, or to the button just made.
LAYOUT = frozenset({"activate_init", "active", "active_default", "alert", "alignment", "emboss",
                    "enabled", "operator_context", "scale_x", "scale_y", "ui_units_x",
                    "ui_units_y", "use_property_decorate", "use_property_split"})  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import statement's name, in full."""

    file: str
    line: int
    name: str
    at_top: bool

    @property
    def package_name(self) -> str:
        """The first part of the name: a library, or the project."""
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.name}"


def _files() -> list[str]:
    return [
        file for file in package.known_files() if package.is_product(file) and file.endswith(".py")
    ]


def room_of(file: str) -> str:
    """Return the room that a file is in: its folder, or its own name at the root."""
    names = file.removesuffix(".py").split("/")
    return "" if names == ["__init__"] else names[0]


def imports_of(root: Path, file: str) -> list[Import]:
    """Return every import of a file, those inside of functions and of type checking included."""
    tree = parse((root / file).read_text("utf-8"))
    at_top = set(map(id, _run_on_import(tree)))
    return [
        Import(file, node.lineno, name, id(node) in at_top)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _names(root, file, node)
    ]


def _run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _run_on_import(child)


def _names(root: Path, file: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not node.level:
        return [node.module or ""]
    folder = file.split("/")[: -node.level]
    inside = [*folder, *(node.module or "").split(".")] if node.module else folder
    # `from .. import jobs` names a module, `from ..jobs import State` a name in one.
    return [
        ".".join(
            [OURS, *inside, alias.name]
            if _is_module(root, [*inside, alias.name])
            else [OURS, *inside]
        )
        for alias in node.names
    ]


def _is_module(root: Path, names: list[str]) -> bool:
    place = root.joinpath(*names)
    return place.is_dir() or place.with_suffix(".py").is_file()


def objections(imported: Import) -> str | None:
    """Say why an import is not allowed in its file, if it is not."""
    room = ROOMS[room_of(imported.file)]
    if imported.package_name == OURS:
        target = room_of(imported.name.removeprefix(OURS).lstrip(".").replace(".", "/"))
        return None if target in {room_of(imported.file), *room.ours} else "no arrow leads there"
    if imported.package_name in sys.stdlib_module_names:
        if PLACES.get(imported.file) == imported.name:
            return None
        refused = imported.name in room.never or imported.package_name in room.never
        return "never in this room" if refused else None
    if imported.package_name not in room.others:
        return "never in this room"
    if imported.file not in ALONE.get(imported.package_name, (imported.file,)):
        return f"only in {' and '.join(ALONE[imported.package_name])}"
    late = imported.package_name in HEAVY and imported.at_top
    return "only when first needed" if late else None


def _refusals(root: Path, files: list[str]) -> list[str]:
    found = [imported for file in files for imported in imports_of(root, file)]
    return [f"{imported}: {why}" for imported in found if (why := objections(imported))]


def test_every_file_is_in_a_room() -> None:
    assert {room_of(file) for file in _files()} <= set(ROOMS)


def test_the_arrows_between_rooms_form_no_circle() -> None:
    placed: set[str] = set()
    while len(placed) < len(ROOMS):
        free = {name for name, room in ROOMS.items() if room.ours <= placed} - placed
        assert free, f"a circle among {sorted(set(ROOMS) - placed)}"
        placed |= free


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_allowed_modules(room: str, root: Path) -> None:
    files = [file for file in _files() if room_of(file) == room]
    assert files, "the room has no files"
    refused = _refusals(root, files)
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("providers/tripo.py", "import bpy"),
        ("providers/tripo.py", "from threading import Thread"),
        ("providers/tripo.py", "from .. import jobs"),
        ("providers/tripo.py", "def f() -> None:\n    import requests"),
        ("providers/_shared/adapters.py", "from pydantic import TypeAdapter"),
        ("jobs/runner.py", "from ..operators import generate"),
        ("jobs/runner.py", "import requests"),
        ("providers/_shared/http/client.py", "import urllib3"),
        ("worker/main.py", "from ..providers import Failed"),
        ("scene/link_to_scene.py", "from ..operators.watch import watch"),
        ("viewport/drawing.py", "from ..panels import sidebar"),
        ("viewport/drawing.py", "from threading import Thread"),
        ("panels/sidebar.py", "from pathlib import Path"),
        ("panels/sidebar.py", "from ..operators import generate"),
        ("cli/entry.py", "from ..scene import background_command"),
    ],
)
def test_forbidden_imports_are_noticed(file: str, source: str, tmp_path: Path) -> None:
    for room in ("jobs", "operators", "scene"):
        (tmp_path / room).mkdir()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(source, "utf-8")
    assert len(_refusals(tmp_path, [file])) == 1


def _writes(function: ast.FunctionDef) -> Iterator[ast.Attribute]:
    buttons = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ".operator(" in ast.unparse(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = ast.unparse(node.value)
            of_button = owner in buttons or ".operator(" in owner
            if node.attr not in LAYOUT and not of_button:
                yield node


def test_panels_only_show(root: Path) -> None:
    written = [
        f"{file}:{node.lineno} sets {ast.unparse(node)}"
        for file in _files()
        if room_of(file) == "panels"
        for function in ast.walk(parse((root / file).read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in _writes(function)
    ]
    assert not written, "\n".join(written)


WITHOUT_BPY = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"bpy", "mathutils"}:
            raise ModuleNotFoundError(f"{name} is not on this machine", name=name)

sys.meta_path.insert(0, Absent())
for name in ("image_to_mesh", "image_to_mesh.providers", "image_to_mesh.jobs", "image_to_mesh.cli"):
    importlib.import_module(name)
print(sorted({"filelock", "pydantic", "requests", "numpy", "bpy", "send2trash"} & set(sys.modules)))
for room in ("providers", "jobs"):
    package = sys.modules[f"image_to_mesh.{room}"]
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
"""


def test_providers_jobs_and_cli_need_no_bpy_and_load_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_BPY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
