# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs and outputs of fal's models, apart from the add-on's own table.

`fal_inputs.json` was made from the types of npm @fal-ai/client 1.10.1; tripo3d/h3.1, p1 and p2 are
from clients. Ranges are those that the descriptions there state. Output keys: the same types.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import struct
from pathlib import Path
from typing import Any

RANGES: dict[str, tuple[float, float]] = {
    "mesh_simplify": (0.9, 0.98),
    "ss_sampling_steps": (1, 50),
    "slat_sampling_steps": (1, 50),
    "ss_guidance_strength": (0, 10),
    "octree_resolution": (1, 1024),
    "num_inference_steps": (1, 50),
    "guidance_scale": (0, 20),
    "face_count": (40_000, 1_500_000),
    "foreground_ratio": (0.5, 1),
    "detection_threshold": (0.1, 1),
}
GLB = ("model_glb", "model_urls.glb")
OUTPUTS: dict[str, tuple[str, ...]] = {
    "fal-ai/trellis-2": ("model_glb",),
    "fal-ai/hunyuan3d-v21": ("model_mesh.zip", "model_glb_pbr", "model_glb"),
    "fal-ai/hunyuan3d-v3/image-to-3d": GLB,
    "fal-ai/hunyuan-3d/v3.1/pro/image-to-3d": GLB,
    "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d": GLB,
    "fal-ai/meshy/v6/image-to-3d": GLB,
    "fal-ai/meshy/v5/multi-image-to-3d": GLB,
    "tripo3d/tripo/v2.5/image-to-3d": ("base_model", "model_mesh", "pbr_model"),
    "tripo3d/h3.1/image-to-3d": ("model_mesh", "model_urls.glb"),
    "fal-ai/sam-3/3d-objects": ("gaussian_splat.ply", "model_glb"),
}
"""Files in the results by model: a key, and the ending of the file unless it is GLB."""


@functools.cache
def inputs() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the inputs of each model by name."""
    text = Path(__file__).with_name("fal_inputs.json").read_text("utf-8")
    known: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return known


def problem(place: str, kind: str, text: str) -> dict[str, Any]:
    """Return an entry of the list `detail`, as fal's page on errors describes it."""
    url = f"https://docs.fal.ai/errors#{kind}"
    return {"loc": ["body", place], "msg": text, "type": kind, "url": url}


def objection(model: str, body: Any, stored: dict[str, bytes]) -> dict[str, Any] | None:
    """Return what is wrong with the inputs of a model, as an entry of `detail`."""
    if not isinstance(body, dict):
        return problem("", "model_type", "Input should be a valid dictionary")
    known = inputs()[model]
    for name, row in known.items():
        if row.get("required") and body.get(name) in (None, "", []):
            return problem(name, "missing", "Field required")
    if model == "tripo3d/h3.1/multiview-to-3d" and not 2 <= len(body["image_urls"]) <= 4:
        return problem("image_urls", "too_short", "List should have 2 to 4 items")
    for name, value in body.items():
        if name not in known:
            return problem(name, "extra_forbidden", "Extra inputs are not permitted")
        wrong = _wrong(name, known[name], value, stored)
        if wrong:
            return problem(name, *wrong)
    if model.startswith("fal-ai/hunyuan-3d/"):
        return _too_small(body["input_image_url"], stored)
    return None


def _too_small(address: str, stored: dict[str, bytes]) -> dict[str, Any] | None:
    """Return the objection to a PNG of less than 128 pixels, which its header states."""
    sides = struct.unpack_from(">2I", stored.get(address, b"").ljust(24, b"\xff"), 16)
    return problem("input_image_url", "image_too_small", "Too small") if min(sides) < 128 else None


def _wrong(
    name: str, row: dict[str, Any], value: Any, stored: dict[str, bytes]
) -> tuple[str, str] | None:
    kind = row.get("type", "enum")
    if kind == "enum":
        return None if value in row["enum"] else ("literal_error", f"Input should be {row['enum']}")
    if kind in ("url", "strings"):
        addresses = value if kind == "strings" else [value]
        unreadable = [item for item in addresses if not _is_image(item, stored)]
        return ("file_download_error", "Failed to download the file") if unreadable else None
    types: dict[str, tuple[type, ...]] = {"boolean": (bool,), "string": (str,)}
    wanted = types.get(kind, (int, float))
    if not isinstance(value, wanted) or (bool not in wanted and isinstance(value, bool)):
        return f"{kind}_type", f"Input should be a valid {kind}"
    low, high = RANGES.get(name, (-float("inf"), float("inf")))
    if isinstance(value, int | float) and not low <= value <= high:
        return "less_than_equal", f"Input should be from {low} to {high}"
    return None


def _is_image(address: Any, stored: dict[str, bytes]) -> bool:
    """Return whether fal can read an image: of its storage, of the web, or within the address."""
    if not isinstance(address, str):
        return False
    if address.startswith("data:image/"):
        try:
            return bool(base64.b64decode(address.partition(";base64,")[2], validate=True))
        except binascii.Error:
            return False
    return address in stored or address.startswith("https://")


def result_of(model: str, base: str) -> dict[str, Any]:
    """Return the output of a model; its files are at `base`."""
    answer: dict[str, Any] = {"timings": {"total": 1.5}}
    for item in OUTPUTS.get(model, ("model_mesh",)):
        key, _, ending = item.partition(".")
        if key == "model_urls":
            answer[key] = {"glb": file(base, "model.glb"), "obj": None}
        else:
            answer[key] = file(base, f"{key}.{ending or 'glb'}")
    if "seed" in inputs()[model]:
        answer["seed"] = 4711
    if model.startswith(("fal-ai/meshy", "fal-ai/hunyuan-3d")):
        answer["thumbnail"] = file(base, "thumbnail.png")
    return answer


def file(base: str, name: str) -> dict[str, Any]:
    """Return a file object. Content types are often the general one."""
    kind = "application/octet-stream"
    return {"url": f"{base}/files/{name}", "content_type": kind, "file_name": name, "file_size": 9}
