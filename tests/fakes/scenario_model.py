# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of Scenario's Tripo 3.1 as its `GET /models/{id}` lists them, and its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODEL = "model_tripo-v3-1-image-to-3d"


def _input(name: str, type_: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "costImpact": False, **more}


INPUTS = (
    _input("image", "file", kind="image", required={"always": True}),
    _input("texture", "boolean", default=True, costImpact=True),
    _input(
        "textureQuality",
        "string",
        default="standard",
        allowedValues=["standard", "detailed", "extreme"],
        costImpact=True,
    ),
    _input(
        "textureAlignment",
        "string",
        default="original_image",
        allowedValues=["original_image", "geometry"],
    ),
    _input(
        "geometryQuality",
        "string",
        default="standard",
        allowedValues=["standard", "detailed"],
        costImpact=True,
    ),
    _input("textureSeed", "number"),
    _input("orientation", "string", default="default", allowedValues=["default", "align_image"]),
    _input("pbr", "boolean", default=True),
    _input("faceLimit", "number"),
    _input("autoSize", "boolean", default=False),
    _input("quad", "boolean", default=False, costImpact=True),
    _input("smartLowPoly", "boolean", default=False, costImpact=True),
    _input("generateParts", "boolean", default=False, costImpact=True),
    _input("seed", "number"),
)

RECORD = {
    "id": MODEL,
    "name": "Tripo 3.1",
    "capabilities": ["img23d"],
    "status": "trained",
    "tags": ["Image to 3D", "sc:featured"],
    "inputs": list(INPUTS),
}


def objection(body: Mapping[str, Any]) -> str:
    """Return why the model refuses these inputs, or an empty text."""
    known = {item["name"]: item for item in INPUTS}
    for name, value in body.items():
        if name == "dryRun":
            continue  # ignored in the body: it starts a job that costs money
        if name not in known:
            return f"Input {name} is not allowed"
        if not _fits(known[name], value):
            return f"Input {name} is invalid"
    if "image" not in body:
        return "Input image is required"
    return _clash({name: item.get("default") for name, item in known.items()} | dict(body))


def _fits(declared: Mapping[str, Any], value: Any) -> bool:
    if declared["type"] == "boolean":
        return isinstance(value, bool)
    if declared["type"] == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and value in declared.get("allowedValues", [value])


def _clash(values: Mapping[str, Any]) -> str:
    if values["generateParts"] and (values["texture"] or values["pbr"] or values["quad"]):
        return "generateParts is incompatible with texture, pbr, and quad"
    low, high = 1, 2_000_000 if values["geometryQuality"] == "detailed" else 1_500_000
    if values["smartLowPoly"]:
        low, high = (500, 10_000) if values["quad"] else (1000, 20_000)
    elif values["quad"]:
        high = 150_000
    limit = values["faceLimit"]
    return "" if limit is None or low <= limit <= high else "faceLimit is out of range"


def price(values: Mapping[str, Any]) -> float:
    """Return the price of a run in Compute Units, from the inputs that affect it."""
    extra: dict[str, dict[Any, float]] = {
        "textureQuality": {"detailed": 10, "extreme": 30},
        "geometryQuality": {"detailed": 20},
        "quad": {True: 5},
        "smartLowPoly": {True: 10},
        "generateParts": {True: 20},
    }
    return 40.0 + sum(more.get(values.get(name), 0) for name, more in extra.items())
