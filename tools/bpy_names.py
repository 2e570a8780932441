# SPDX-License-Identifier: GPL-3.0-or-later
"""Find misspelled names of Blender's API: mypy with the stubs of fake-bpy-module.

The stubs are too coarse for strict typing, so the other runs of mypy take Blender's modules as Any.
This run keeps one rule, `attr-defined`, and leaves out the reports that are not misspellings.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import environments
import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETTINGS = Path(__file__).with_name("bpy_names.ini")
USES_BLENDER = re.compile(r"^\s*(?:import|from) (?:bpy|bmesh|mathutils|gpu|blf)\b", re.MULTILINE)
_REPORT = re.compile(r"^\S+:\d+: error: .*\[attr-defined\]$")
NOT_MISSPELLED = tuple(
    re.compile(text)
    for text in (
        # Subclasses have the attributes, and only Blender knows which subclass an object is.
        r'"(Attribute|Light|Modifier|Node|NodeSocket|Space|bpy_struct)" has no attribute',
        # Registered by the add-on itself.
        r'(Module|"(type\[)?(Scene|WindowManager)\]?") has no attribute "image_to_mesh"',
        # Mix-ins of Blender's bl_operators, and a tuple in bpy.path that the stubs leave out.
        r'"IMAGE_TO_MESH_OT_preset_add" has no attribute "remove_(name|active)"',
        r'Module has no attribute "extensions_image"',
        # Return types that the stubs do not know: context managers, arrays, and None for a tuple.
        r'"None" has no attribute "(__enter__|__exit__|ray_cast|read_color)"',
        r'"float" has no attribute "foreach_[gs]et"',
    )
)


PROBE = """import bpy

bpy.context.windw_manager
bpy.ops.object.delete_objects()
"""
"""Two misspelled names that each run must report: without the stubs, mypy would report nothing."""


def find_misspelled(root: Path, files: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Return mypy's reports of names that Blender does not have, in these files below `root`.

    Raises RuntimeError if mypy fails, or does not find the misspelled names of the probe.
    """
    probe = places.BUILD / "bpy_names_probe.py"
    probe.write_text(PROBE, "utf-8")
    command = [str(environments.for_checks()), "-m", "mypy", "--config-file", str(SETTINGS),
               "--cache-dir", str(places.BUILD / ".mypy_cache_bpy"), str(probe),
               *(str(root / file) for file in files)]  # fmt: skip
    done = subprocess.run(
        command, cwd=places.ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    found = [line for line in done.stdout.splitlines() if is_misspelled(line)]
    expected = [line for line in found if probe.name in line]
    if done.returncode != 1 or len(expected) != 2:
        raise RuntimeError(f"the names of the probe were not found\n{done.stdout}{done.stderr}")
    return [line for line in found if line not in expected]


def is_misspelled(line: str) -> bool:
    """Return whether a line of mypy's output reports a name that Blender does not have."""
    return bool(_REPORT.match(line)) and not any(rule.search(line) for rule in NOT_MISSPELLED)
