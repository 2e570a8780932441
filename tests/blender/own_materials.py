# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF files of one ball each, for every material feature of the format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from blender.writers import Gltf, ball

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BALL = ball(24, 32)
UP = BALL["POSITION"][:, 1]
GREEN, ORANGE = (40, 170, 60), (250, 140, 20)


def pixels(*corners: tuple[int, ...], side: int = 8) -> NDArray[np.uint8]:
    """Return a checkerboard of four colors, or of two."""
    four = corners if len(corners) == 4 else (corners[0], corners[1], corners[1], corners[0])
    quarter = np.array(four, np.uint8).reshape(2, 2, -1)
    return quarter.repeat(side, 0).repeat(side, 1)


PAINT = pixels(GREEN, ORANGE, (240, 240, 240), (30, 30, 120))
HOLES = pixels((*GREEN, 255), (*ORANGE, 0))
VEILS = pixels((*GREEN, 120), (*ORANGE, 255))
BUMPS = pixels((128, 128, 255), (200, 90, 220), (60, 140, 220), (128, 128, 255))
# Green is roughness, blue is metallic.
ROUGH = pixels((0, 20, 255), (0, 250, 0))


def surface(file: Gltf, **values: Any) -> dict[str, Any]:
    """Return a non-metallic material; arrays of pixels become textures."""
    extensions = values.pop("extensions", {})
    outer = {name: values.pop(name) for name in OUTER if name in values}
    base = {"metallicFactor": 0, "roughnessFactor": 0.5, **values}
    for part in (base, outer, *extensions.values()):
        for name, value in part.items():
            if isinstance(value, np.ndarray):
                part[name] = {"index": file.texture(value)}
    for name, more in ((name, base.pop(name)) for name in list(base) if name.endswith("Info")):
        base[name.removesuffix("Info")].update(more)
    return {"pbrMetallicRoughness": base, **outer,
            **({"extensions": extensions} if extensions else {})}  # fmt: skip


OUTER = ("emissiveFactor", "emissiveTexture", "normalTexture", "occlusionTexture", "alphaMode",
         "alphaCutoff", "doubleSided")  # fmt: skip
MOVED = {"scale": [3, 2], "offset": [0.2, 0.4], "rotation": 0.5}


def khr(name: str, **values: Any) -> dict[str, dict[str, Any]]:
    return {f"KHR_materials_{name}": values}


def texture_info(**values: Any) -> dict[str, Any]:
    return {"baseColorTexture": PAINT, "baseColorTextureInfo": values}


def texture_transform(**values: Any) -> dict[str, Any]:
    return texture_info(extensions={"KHR_texture_transform": values})


UNLIT: dict[str, dict[str, Any]] = {"KHR_materials_unlit": {}}
GLASS = khr("transmission", transmissionFactor=1.0)
SURFACES: dict[str, dict[str, Any]] = {
    "red": {"baseColorFactor": [0.8, 0.05, 0.03, 1]},
    "blue and smooth": {"baseColorFactor": [0.02, 0.1, 0.7, 1], "roughnessFactor": 0},
    "black": {"baseColorFactor": [0, 0, 0, 1], "roughnessFactor": 0.3},
    "white": {"baseColorFactor": [1, 1, 1, 1], "roughnessFactor": 1},
    "gold": {"baseColorFactor": [1, 0.6, 0.15, 1], "metallicFactor": 1, "roughnessFactor": 0.2},
    "mirror": {"metallicFactor": 1, "roughnessFactor": 0},
    "dull metal": {"metallicFactor": 1, "roughnessFactor": 1},
    "half metal": {"baseColorFactor": [0.1, 0.5, 0.5, 1], "metallicFactor": 0.5},
    "texture": {"baseColorTexture": PAINT},
    "texture times factor": {"baseColorTexture": PAINT, "baseColorFactor": [1, 0.3, 0.3, 1]},
    "texture scaled": texture_transform(scale=[4, 4]),
    "texture moved and rotated": texture_transform(**MOVED),
    "second UV map": texture_info(texCoord=1),
    "second UV map scaled": texture_info(
        texCoord=1, extensions={"KHR_texture_transform": {"scale": [2, 5]}}
    ),
    "texture with alpha, opaque": {"baseColorTexture": HOLES},
    "colors": {"colors": True},
    "colors times factor": {"colors": True, "baseColorFactor": [0.2, 1, 0.2, 1]},
    "colors times texture": {"colors": True, "baseColorTexture": PAINT},
    "colors, texture and factor": {
        "colors": True, "baseColorTexture": PAINT, "baseColorFactor": [0.3, 0.6, 1, 1],
    },
    "one color times factor": {"one color": True, "baseColorFactor": [0.9, 0.9, 0.1, 1]},
    "mask": {"baseColorTexture": HOLES, "alphaMode": "MASK"},
    "mask that keeps all": {
        "baseColorTexture": VEILS, "alphaMode": "MASK", "alphaCutoff": 0.1,
        "baseColorFactor": [1, 0.4, 1, 1],
    },
    "blend": {"baseColorFactor": [0.1, 0.7, 0.9, 0.35], "alphaMode": "BLEND"},
    "blend by texture": {"baseColorTexture": VEILS, "alphaMode": "BLEND"},
    "emission": {"baseColorFactor": [0, 0, 0, 1], "emissiveFactor": [0.1, 0.5, 0.1]},
    "strong emission": {
        "baseColorFactor": [0, 0, 0, 1], "emissiveFactor": [0.1, 0.02, 0.1],
        "extensions": khr("emissive_strength", emissiveStrength=6.0),
    },
    "emission by texture": {"emissiveTexture": PAINT, "emissiveFactor": [1, 1, 1]},
    "emission by texture and factor": {"emissiveTexture": PAINT, "emissiveFactor": [0, 0, 1]},
    "bumps": {"normalTexture": BUMPS, "baseColorFactor": [0.7, 0.5, 0.3, 1]},
    "metal in a texture": {"metallicRoughnessTexture": ROUGH, "metallicFactor": 1,
                           "roughnessFactor": 1, "baseColorFactor": [0.9, 0.5, 0.4, 1]},
    "occlusion, which nothing shows": {
        "occlusionTexture": pixels((0, 0, 0), (255, 255, 255)),
        "baseColorFactor": [0.2, 0.3, 0.1, 1],
    },
    "unlit": {"baseColorFactor": [0.9, 0.2, 0.6, 1], "extensions": UNLIT},
    "unlit texture": {"baseColorTexture": PAINT, "extensions": UNLIT},
    "unlit texture times factor": {
        "baseColorTexture": PAINT, "baseColorFactor": [0.2, 0.2, 1, 1], "extensions": UNLIT,
    },
    "glass": {"roughnessFactor": 0, "extensions": GLASS},
    "frosted glass": {"roughnessFactor": 0.6, "extensions": GLASS},
    "red glass": {"baseColorFactor": [1, 0.1, 0.1, 1], "roughnessFactor": 0, "extensions": GLASS},
    "diamond": {"roughnessFactor": 0, "extensions": GLASS | khr("ior", ior=2.4)},
    "green glass by its volume": {
        "roughnessFactor": 0,
        "extensions": GLASS | khr("volume", thicknessFactor=1.0, attenuationDistance=0.7,
                                   attenuationColor=[0.1, 0.9, 0.3]),
    },
    "lacquer": {
        "baseColorFactor": [0.3, 0, 0.02, 1], "roughnessFactor": 0.9,
        "extensions": khr("clearcoat", clearcoatFactor=1.0, clearcoatRoughnessFactor=0.0),
    },
    "cloth": {
        "baseColorFactor": [0.02, 0.02, 0.1, 1], "roughnessFactor": 1,
        "extensions": khr("sheen", sheenColorFactor=[0.9, 0.5, 0.9], sheenRoughnessFactor=0.4),
    },
    "no gloss": {
        "baseColorFactor": [0, 0, 0, 1], "roughnessFactor": 0.2,
        "extensions": khr("specular", specularFactor=0.0),
    },
    "colored gloss": {
        "baseColorFactor": [0.05, 0.05, 0.05, 1], "roughnessFactor": 0.3,
        "extensions": khr("specular", specularColorFactor=[1, 0.1, 0.1]) | khr("ior", ior=2.5),
    },
}  # fmt: skip


def write_surface(name: str, path: Path) -> Path:
    """Write a GLB of the ball with the named material."""
    values = dict(SURFACES[name])
    arrays = {**BALL, "TEXCOORD_1": BALL["TEXCOORD_0"][:, ::-1].copy()}
    if values.pop("colors", False):
        mixed = np.stack((UP > 0, UP < 0.3, np.abs(UP) < 0.5, np.ones_like(UP)), 1)
        arrays["COLOR_0"] = (mixed * 255).astype(np.uint8)
    if values.pop("one color", False):
        arrays["COLOR_0"] = np.full((len(UP), 4), (255, 90, 90, 255), np.uint8)
    file = Gltf()
    material = file.add("materials", **surface(file, **values))
    file.add("nodes", mesh=file.mesh(arrays, material))
    return file.write(path / "mesh.glb")
