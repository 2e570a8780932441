# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of Meshy's orders and their rules (docs.meshy.ai, vendor's MCP server, 2026-11)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

Judge = Callable[[Any], bool]
NEWEST = ("meshy-7.1", "latest")
STANDARD = (*NEWEST, "meshy-7", "meshy-6", "meshy-6-lite")
SMART = {"meshy-t2.5": 30_000, "meshy-t2": 15_000}
"""The models of smart topology, with the most faces that each makes."""
RETIRED = ("meshy-4", "meshy-5", "meshy-t1")
DATA_URL = re.compile(r"data:image/(png|jpe?g);base64,([A-Za-z0-9+/]+={0,2})")
MAGIC = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "jpg": b"\xff\xd8\xff"}
OF_TEXTURES = ("texture_resolution", "texture_prompt", "texture_image_url")
OF_REMESH = ("topology", "target_polycount", "decimation_mode", "save_pre_remeshed_model")


class Refused(Exception):
    """The service refuses a request, with a status and a message."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def _one_of(*values: Any) -> Judge:
    return lambda value: type(value) in {type(item) for item in values} and value in values


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _formats(value: Any) -> bool:
    known = {"glb", "obj", "fbx", "stl", "usdz", "3mf"}
    return isinstance(value, list) and bool(value) and set(value) <= known


FIELDS: Mapping[str, Judge] = {
    "model_type": _one_of("standard", "smart-topology"),
    "ai_model": lambda value: isinstance(value, str),
    "geometry_resolution": _one_of("standard", "2k", "4k"),
    "should_texture": _boolean,
    "enable_pbr": _boolean,
    "texture_resolution": _one_of("2k", "4k", "8k"),
    "texture_prompt": lambda value: isinstance(value, str) and len(value) <= 800,
    "texture_image_url": lambda value: isinstance(value, str),
    "should_remesh": _boolean,
    "topology": _one_of("quad", "triangle"),
    "target_polycount": lambda value: type(value) is int and 100 <= value <= 300_000,
    "decimation_mode": _one_of(1, 2, 3, 4),
    "save_pre_remeshed_model": _boolean,
    "pose_mode": _one_of("", "a-pose", "t-pose"),
    "image_enhancement": _boolean,
    "remove_lighting": _boolean,
    "moderation": _boolean,
    "target_formats": _formats,
    "auto_size": _boolean,
    "origin_at": _one_of("bottom", "center"),
    "alpha_thumbnail": _boolean,
    "multi_view_thumbnails": _boolean,
}


def check_order(body: Mapping[str, Any], images: list[Any]) -> None:
    """Refuse an order that Meshy would refuse; `images` are those of its first field."""
    for image in images:
        check_image(image)
    for name, value in body.items():
        if name not in FIELDS:
            raise Refused(400, f"Unknown parameter: {name}")
        if not FIELDS[name](value):
            raise Refused(400, f"Invalid value for {name}")
    model = _check_model(body, several=len(images) > 1)
    _check_geometry(body, model, several=len(images) > 1)
    _check_textures(body, model)
    if "origin_at" in body and not body.get("auto_size"):
        raise Refused(400, "origin_at requires auto_size")


def check_image(image: Any) -> None:
    """Refuse an image that is neither an https URL nor a data URI of a PNG or JPEG."""
    if isinstance(image, str) and image.startswith("https://"):
        return
    found = DATA_URL.fullmatch(image) if isinstance(image, str) else None
    if found is None:
        raise Refused(400, "Invalid image_url: unsupported image format")
    try:
        data = base64.b64decode(found[2], validate=True)
    except binascii.Error as error:
        raise Refused(400, "Invalid Data URI: malformed base64") from error
    if not data.startswith(MAGIC[found[1]]):
        raise Refused(400, "Invalid Data URI: the image cannot be decoded")


def _check_model(body: Mapping[str, Any], *, several: bool) -> str:
    smart = body.get("model_type") == "smart-topology"
    model: str = body.get("ai_model", "meshy-t2" if smart else "latest")
    if model in RETIRED:
        raise Refused(400, f"ai_model {model} is retired")
    if model not in (*STANDARD, *SMART):
        raise Refused(400, f"Invalid value for ai_model: {model}")
    if smart != (model in SMART):
        raise Refused(400, f"ai_model {model} does not fit the model_type")
    if several and "model_type" in body:
        raise Refused(400, "model_type is not supported with several images")
    return model


def _check_geometry(body: Mapping[str, Any], model: str, *, several: bool) -> None:
    geometry = body.get("geometry_resolution", "standard")
    allowed = {"2k": (*NEWEST, "meshy-7"), "4k": NEWEST}.get(geometry)
    if allowed is not None and model not in allowed:
        raise Refused(400, f"geometry_resolution {geometry} requires meshy-7.1")
    if geometry == "4k" and several:
        raise Refused(400, "geometry_resolution 4k is not supported with several images")
    if model in SMART:
        given = {"should_remesh", *OF_REMESH} - {"target_polycount"}
        if body.get("target_polycount", 100) > SMART[model]:
            raise Refused(400, f"target_polycount is at most {SMART[model]}")
        if unused := sorted(given & body.keys()):
            raise Refused(400, f"{unused[0]} is not supported by {model}")
        return
    unused = sorted(body.keys() & set(OF_REMESH))
    if unused and not body.get("should_remesh", model == "meshy-6-lite"):
        raise Refused(400, f"{unused[0]} requires should_remesh")


def _check_textures(body: Mapping[str, Any], model: str) -> None:
    if not body.get("should_texture", True):
        given = [name for name in OF_TEXTURES if name in body]
        if body.get("enable_pbr") or given:
            raise Refused(400, "enable_pbr is only supported when should_texture is true")
    if model == "meshy-6-lite" and body.get("texture_resolution", "2k") != "2k":
        raise Refused(400, "texture_resolution of meshy-6-lite is 2k")
    if model == "meshy-6-lite" or model in SMART:
        for name in ("image_enhancement", "remove_lighting"):
            if name in body:
                raise Refused(400, f"{name} is not supported by {model}")
    if "texture_image_url" in body:
        check_image(body["texture_image_url"])


def price_of(body: Mapping[str, Any]) -> int:
    """Return the credits that an order costs, by the price list."""
    cheap = body.get("ai_model") in ("meshy-6-lite", *SMART)
    price = 5 if cheap or body.get("model_type") == "smart-topology" else 20
    if body.get("should_texture", True):
        price += 15 if body.get("texture_resolution") == "8k" else 10
    return price if body.get("geometry_resolution", "standard") == "standard" else price + 5
