# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job's mesh is to be imported: into which file and scene, where, and with which cleanup.

The plan is made when Generate is clicked, and stored in `job.json` as `place`, a flat object; some
of its keys still have the names of version 0.1.0 (see `as_json`). Other people may have written a
record, so every value is checked when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

JSON = Any
MEASURES = ("height", "longest")


@dataclass(frozen=True, slots=True)
class Placement:
    """A model's location, rotation, and size, in the scene's own units.

    `rotation` is in radians about Z. `size` is the model's height or, depending on `measure`, the
    length of its longest side; 0 keeps its own size. For a model that replaces another one, `scale`
    is set instead of `size`. `spacing` is the gap to earlier results, in a row along X; None lets
    them overlap. `linked`: the model is linked, not appended. `unpack`: its textures are written to
    files. `free`: `location` is only where the search for free ground starts, on import.
    """

    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: float = 0.0
    size: float = 0.0
    measure: str = "height"
    spacing: float | None = None
    linked: bool = False
    unpack: bool = False
    scale: float | None = None
    free: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return the fields with their names in `job.json`."""
        return {
            "location": list(self.location),
            # Named so in version 0.1.0, like two fields of `ImportPlan`: old records have them.
            "turn": self.rotation,
            "size": self.size,
            "measure": self.measure,
            "spacing": self.spacing,
            "linked": self.linked,
            "unpack": self.unpack,
            "scale": self.scale,
            "free": self.free,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Placement:
        """Return the placement in a record's `place`; missing or invalid fields get defaults."""
        measure = data.get("measure")
        return cls(
            location=_point(data.get("location")),
            rotation=_number(data.get("turn")) or 0.0,
            size=_number(data.get("size")) or 0.0,
            measure=measure if measure in MEASURES else MEASURES[0],
            spacing=_number(data.get("spacing")),
            linked=data.get("linked") is True,
            unpack=data.get("unpack") is True,
            scale=_number(data.get("scale")),
            free=data.get("free") is True,
        )


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How to import a job's mesh once it is ready; the default is for a job without a scene.

    `file` identifies the session of the .blend file in which the job was started: in any other
    session, the mesh is not imported automatically. `scene` is the scene's name. `cleanup` has the
    options of the worker's cleanup, None for its defaults. `in_chunks`: a large mesh is also
    written in chunks, which Blender can append without freezing its window.
    """

    file: str = ""
    scene: str = ""
    placement: Placement = field(default_factory=Placement)
    cleanup: Mapping[str, JSON] | None = None
    in_chunks: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return the fields for `job.json`; empty for a job without a scene."""
        if self == ImportPlan():
            return {}
        return {
            "file": self.file,
            "scene": self.scene,
            **self.placement.as_json(),
            "in_parts": self.in_chunks,
            "mending": None if self.cleanup is None else dict(self.cleanup),
        }

    @classmethod
    def from_json(cls, data: object) -> ImportPlan:
        """Return the plan in a record's `place`; missing or invalid fields get their defaults."""
        if not isinstance(data, Mapping):
            return cls()
        cleanup = data.get("mending")
        return cls(
            file=_text(data.get("file")),
            scene=_text(data.get("scene")),
            placement=Placement.from_json(data),
            cleanup=dict(cleanup) if isinstance(cleanup, Mapping) else None,
            in_chunks=data.get("in_parts") is True,
        )


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _number(value: JSON) -> float | None:
    """Return a finite number as a float; None for anything else, including booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has integers that no float can hold
        return None
    return number if isfinite(number) else None


def _point(value: JSON) -> tuple[float, float, float]:
    if isinstance(value, list | tuple) and len(value) == 3:
        x, y, z = map(_number, value)
        if x is not None and y is not None and z is not None:
            return x, y, z
    return 0.0, 0.0, 0.0
