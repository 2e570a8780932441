# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and prices of Meshy's models.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2 to 0.6.7; as of November 2026.
"""

from __future__ import annotations

from typing import Annotated, Literal

from .._shared.bounds import Interval
from .._shared.provider import Price
from .._shared.settings import Choice, FileLimits, Option

LARGE = ("meshy-7.1", "latest", "meshy-7", "meshy-6")
SMART = ("meshy-t2.5", "meshy-t2")

# -- settings ------------------------------------------------------------------------------------

Model = Annotated[
    Literal["meshy-7.1", "latest", "meshy-7", "meshy-6", "meshy-6-lite", "meshy-t2.5", "meshy-t2"],
    Option(
        "Model",
        "Meshy model that generates the mesh",
        (
            Choice("meshy-7.1", "7.1", "Best quality"),
            Choice("latest", "Latest", "Newest model of the service; its price may differ"),
            Choice("meshy-7", "7", "Predecessor of 7.1"),
            Choice("meshy-6", "6", "Older, with Remove Lighting"),
            Choice("meshy-6-lite", "6 Lite", "Cheap, with 2K textures"),
            Choice("meshy-t2.5", "T2.5", "Clean low-poly meshes of at most 30,000 faces"),
            Choice("meshy-t2", "T2", "Clean low-poly meshes of at most 15,000 faces"),
        ),
        basic=True,
    ),
]
Geometry = Annotated[
    Literal["standard", "2k", "4k"],
    Option(
        "Mesh Detail",
        "Level of detail of the shape",
        (
            Choice("standard", "Standard", "Sufficient for most uses"),
            Choice("2k", "2K", "Finer shapes, at extra cost"),
            Choice("4k", "4K", "Finest shapes, at extra cost; single image only"),
        ),
        basic=True,
    ),
]
Texture = Annotated[
    bool,
    Option("Texture", "Texture the mesh with the image's colors", basic=True, group="surface"),
]
Pbr = Annotated[
    bool,
    Option(
        "PBR",
        "Metallic, roughness, and normal maps; requires Texture",
        basic=True,
        group="surface",
    ),
]
TextureResolution = Annotated[
    Literal["2k", "4k", "8k"],
    Option(
        "Texture Resolution",
        "Size of the color texture; the other maps are always 2K",
        (
            Choice("2k", "2K", "2048 × 2048 pixels"),
            Choice("4k", "4K", "4096 × 4096 pixels"),
            Choice("8k", "8K", "8192 × 8192 pixels, at extra cost"),
        ),
        basic=True,
        group="surface",
    ),
]
TexturePrompt = Annotated[
    str,
    Option(
        "Texture Prompt",
        "Description of the textures, of at most 800 characters",
        group="surface",
    ),
]
TextureImage = Annotated[
    str,
    Option(
        "Texture Image",
        "PNG or JPEG image that guides the textures",
        file=FileLimits((".png", ".jpg", ".jpeg"), 20_000_000),
        group="surface",
    ),
]
RemoveLighting = Annotated[
    bool,
    Option("Remove Lighting", "Remove the image's lighting from the textures", group="surface"),
]
Remesh = Annotated[
    bool,
    Option(
        "Remesh",
        "Rebuild the mesh with the topology and number of faces below; if off, it keeps all "
        "details",
        basic=True,
        group="mesh",
    ),
]
Topology = Annotated[
    Literal["triangle", "quad"],
    Option(
        "Topology",
        "Kind of faces after Remesh",
        (
            Choice("triangle", "Triangles", "Delivered as GLB"),
            Choice("quad", "Quads", "Mostly quads; delivered as FBX"),
        ),
        group="mesh",
    ),
]
TargetFaces = Annotated[
    int | None,
    Interval(ge=100, le=300_000),
    Option(
        "Target Faces",
        "Approximate number of faces; if off, the service uses 30,000, or fewer with T2 and T2.5",
        basic=True,
        group="mesh",
    ),
]
AdaptiveFaces = Annotated[
    Literal[1, 2, 3, 4] | None,
    Option(
        "Adaptive Faces",
        "Number of faces that suits the shape, in place of Target Faces",
        (
            Choice(1, "Ultra", "Most faces"),
            Choice(2, "High", "Many faces"),
            Choice(3, "Medium", "Fewer faces"),
            Choice(4, "Low", "Fewest faces"),
        ),
        group="mesh",
    ),
]
Pose = Annotated[
    Literal["", "a-pose", "t-pose"],
    Option(
        "Pose",
        "Pose of a character",
        (
            Choice("", "As in Image", "Keep the pose of the image"),
            Choice("a-pose", "A-Pose", "Arms lowered to the sides"),
            Choice("t-pose", "T-Pose", "Arms stretched out to the sides"),
        ),
    ),
]
EnhanceImage = Annotated[
    bool,
    Option(
        "Enhance Image",
        "Improve the image before generating; if off, its exact look is kept",
    ),
]
Moderation = Annotated[
    bool, Option("Moderation", "Let the service check the input for harmful content")
]
AutoSize = Annotated[
    bool,
    Option(
        "Auto Size",
        "Scale the mesh to its estimated real-world size, in meters",
        group="placement",
    ),
]
OriginPosition = Annotated[
    Literal["bottom", "center"],
    Option(
        "Origin",
        "Position of the origin with Auto Size",
        (
            Choice("bottom", "Bottom", "Below the mesh"),
            Choice("center", "Center", "In the middle of the mesh"),
        ),
        group="placement",
    ),
]


# -- prices --------------------------------------------------------------------------------------

_PAGE, _READ = "https://docs.meshy.ai/en/api/pricing", "2026-10-09"
# The price list is older than this model; its release note has the price.
_T2_5, _RELEASED = (
    "https://github.com/meshy-dev/meshy-mcp-server/releases/tag/v0.6.4",
    "2026-10-13",
)


def _rows(bare: float, page: str, day: str, *models: str) -> tuple[Price, ...]:
    """Return the rows of models that cost `bare` credits without textures."""
    fine = {"texture_resolution": ("2k", "4k")}
    return (
        Price(bare, page, day, {"ai_model": models, "should_texture": False}),
        Price(bare + 10, page, day, {"ai_model": models, **fine}),
        Price(bare + 15, page, day, {"ai_model": models, "texture_resolution": "8k"}),
    )


PRICES = (
    *_rows(20, _PAGE, _READ, *LARGE),
    *_rows(5, _PAGE, _READ, "meshy-6-lite", "meshy-t2"),
    *_rows(5, _T2_5, _RELEASED, "meshy-t2.5"),
    Price(5, _PAGE, _READ, {"geometry_resolution": ("2k", "4k")}, adds=True),
)
"""Meshy's price list, which is the same for one image and for several."""
