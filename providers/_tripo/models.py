# SPDX-License-Identifier: GPL-3.0-or-later
"""What Tripo's models take, in both versions of its API (migration guide and SDKs, 2026)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from .._shared.bounds import Interval
from .._shared.errors import BadImage
from .._shared.http.addresses import ending_of
from .._shared.images import PictureLimits
from .._shared.messages import Message, as_message
from .._shared.provider import KeyField, Picture
from .._shared.settings import Choice, Option, Settings, changed_values, settings_of, values_of

KEY = KeyField("tripo_api_key", "TRIPO_API_KEY", "API Key")
VIEWS = ("front", "left", "back", "right")
LIMITS = PictureLimits(min_side=20, max_side=6000, max_bytes=20_000_000)
TOKEN_LIFE = 24 * 3600.0


def max_concurrent(_: Any, settings: Settings) -> int:
    """Return how many tasks of a series an account may have at once: 10, low-poly ones 5."""
    model = getattr(settings, "model", "") or getattr(settings, "model_version", "")
    return 5 if str(model).startswith("P") else 10


# -- settings ------------------------------------------------------------------------------------

Seed = Interval(ge=0, le=2**31 - 1)

FaceLimit = Annotated[
    int | None,
    Interval(ge=50, le=2_000_000),
    Option(
        "Face Limit",
        "At most so many faces; chosen by the shape when off",
        basic=True,
        group="mesh",
    ),
]
Texture = Annotated[
    bool, Option("Texture", "Paint the mesh with the picture's colors", basic=True, group="surface")
]
Pbr = Annotated[
    bool,
    Option(
        "PBR",
        "Metallic, roughness and normal maps; they bring textures with them",
        basic=True,
        group="surface",
    ),
]
ModelSeed = Annotated[
    int | None, Seed, Option("Model Seed", "The same seed makes the same shape again")
]
TextureSeed = Annotated[
    int | None,
    Seed,
    Option("Texture Seed", "The same seed makes the same textures again", group="surface"),
]
STANDARD_TEXTURE = Choice("standard", "Standard", "Enough for most uses")
HD_TEXTURE = Choice("detailed", "HD", "Finer textures, at an extra price")
FINEST_TEXTURE = Choice("extreme", "8K", "The finest textures, in large files; the dearest")
GeometryQuality = Annotated[
    Literal["standard", "detailed"],
    Option(
        "Geometry",
        "How fine the shape is",
        (
            Choice("standard", "Standard", "Enough for most uses"),
            Choice("detailed", "HD", "Finer shapes, up to two million faces, at an extra price"),
        ),
        basic=True,
    ),
]
TextureAlignment = Annotated[
    Literal["original_image", "geometry"],
    Option(
        "Alignment",
        "What the textures follow where picture and mesh differ",
        (
            Choice("original_image", "Original Image", "Stay close to the picture"),
            Choice("geometry", "Geometry", "Stay close to the shape"),
        ),
        group="surface",
    ),
]
Orientation = Annotated[
    Literal["default", "align_image"],
    Option(
        "Orientation",
        "How the mesh is turned",
        (
            Choice("default", "Default", "As the model likes"),
            Choice("align_image", "Align Image", "Turned as the picture shows it"),
        ),
        group="placement",
    ),
]
AutoSize = Annotated[
    bool, Option("Auto Size", "Scale the mesh to its real size, in meters", group="placement")
]
Quad = Annotated[
    bool,
    Option(
        "Quads",
        "Four-sided faces instead of triangles, at an extra price; comes as FBX, and with "
        "10000 faces where Face Limit is off",
        basic=True,
        group="mesh",
    ),
]
SmartLowPoly = Annotated[
    bool,
    Option(
        "Smart Low Poly",
        "Few faces, laid as by hand; best for simple subjects, may fail",
        group="mesh",
    ),
]
GenerateParts = Annotated[
    bool,
    Option("Separate Parts", "A mesh in parts that can be edited, without textures", group="mesh"),
]
Compress = Annotated[
    Literal["", "geometry"],
    Option(
        "Compression",
        "How the file is made smaller",
        (
            Choice("", "None", "Every Blender reads it"),
            Choice("geometry", "Geometry", "Meshopt, a smaller download"),
        ),
        min_blender=(5, 2),
        group="mesh",
    ),
]
ExportUv = Annotated[
    bool, Option("UV Map", "Unfold the mesh; without, it is made sooner", group="surface")
]
ImageAutofix = Annotated[
    bool, Option("Image Autofix", "Let Tripo improve the picture first; for a single picture")
]

OF_TEXTURES = (
    "texture_quality",
    "texture_alignment",
    "texture_seed",
    "texture_version",
    "delight",
)


@dataclass(frozen=True, slots=True)
class ModelCapabilities:
    """What one of Tripo's models is: `lacks` names settings that it does not have."""

    title: str
    lacks: tuple[str, ...] = ()
    faces: tuple[int, int] = (50, 500_000)
    detailed: int = 500_000


V3_1 = ModelCapabilities("3.1", faces=(50, 1_500_000), detailed=2_000_000)
V3_0 = ModelCapabilities("3.0", faces=(50, 1_500_000), detailed=2_000_000)
V2_5 = ModelCapabilities("2.5", ("geometry_quality",))
P1 = ModelCapabilities(
    "P1",
    ("quad", "smart_low_poly", "generate_parts", "geometry_quality"),
    faces=(50, 20_000),
)


def broken_rules(settings: Settings, traits: ModelCapabilities) -> Iterator[tuple[str, str]]:
    """Yield what the service would refuse, or would make otherwise than was asked."""
    values = values_of(settings)
    titles = {one.name: one.title for one in settings_of(type(settings))}
    for name in changed_values(settings):
        if name in traits.lacks:
            missing = Message(
                "Model {model} has no {setting}: reset it, or choose another model.",
                model=traits.title,
                setting=Message.of(titles[name]),
            )
            yield name, missing
    if values["generate_parts"] and (values["texture"] or values["pbr"] or values["quad"]):
        yield "generate_parts", "Separate Parts needs Texture, PBR and Quads off: turn them off."
    elif values["pbr"] and not values["texture"]:
        yield "texture", "PBR brings textures with it: turn PBR off, too, or Texture on."
    limit, (low, high, feature) = values["face_limit"], _face_window(values, traits)
    if isinstance(limit, int) and not low <= limit <= high:
        yield "face_limit", beyond_face_limit(feature, low, high)


def beyond_face_limit(feature: str, low: int, high: int) -> Message:
    """Return why a Face Limit cannot be sent together with a feature."""
    return Message(
        "With {feature} Face Limit goes from {low} to {high}: set it so.",
        feature=as_message(feature),
        low=low,
        high=high,
    )


def _face_window(values: Mapping[str, Any], traits: ModelCapabilities) -> tuple[int, int, str]:
    """Return the fewest and the most faces, and what they come from.

    Tripo's sources differ on Smart Low Poly: these are the numbers that all of them allow.
    """
    low, high = traits.faces
    if values["smart_low_poly"] and values["quad"]:
        return 500, 8000, "Smart Low Poly and Quads"
    if values["smart_low_poly"]:
        return 1000, 16_000, "Smart Low Poly"
    if values["quad"]:
        return low, min(high, 150_000), "Quads"
    if values["geometry_quality"] == "detailed":
        return low, traits.detailed, Message("model {model} and HD geometry", model=traits.title)
    return low, high, Message("model {model}", model=traits.title)


def idle_settings(settings: Settings, traits: ModelCapabilities) -> Iterator[tuple[str, str]]:
    """Yield the settings that have no effect beside the others."""
    values = values_of(settings)
    for name in values:
        if name in traits.lacks:
            yield name, Message("Model {model} does not have it.", model=traits.title)
        elif name in OF_TEXTURES and not (values["texture"] or values["pbr"]):
            yield name, "The mesh gets no textures."


def sent_settings(settings: Settings) -> dict[str, Any]:
    """Return what is sent: values that differ from the service's defaults and have an effect.

    P1 refuses four settings even at their defaults, and a quality where there are no textures is
    warned of: leaving out is right for all.
    """
    idle = {name for name, _ in settings.inactive_fields()}
    return {name: value for name, value in changed_values(settings).items() if name not in idle}


# -- pictures ------------------------------------------------------------------------------------


def files_of(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    """Return the pictures to upload; raises BadImage for an address that Tripo would not fetch."""
    for one in pictures:
        if one.path is None and not (one.url or "").startswith("https://"):
            raise BadImage(
                Message(
                    "Tripo fetches pictures from https addresses only: {name} is at another.",
                    name=one.name,
                ),
                "Download it and use the file.",
            )
    return tuple(one for one in pictures if one.path is not None)


def format_of(picture: Picture) -> str:
    """Return the picture's format as Tripo's endings name it."""
    if picture.info is not None:
        return picture.info.format
    ending = ending_of(picture.url or "")
    return ending if ending in ("png", "webp") else "jpeg"


def part_of(picture: Picture) -> tuple[str, bytes, str]:
    """Return a picture as a part of a form: a plain name, the bytes, the type."""
    format_ = format_of(picture)
    return f"{picture.view}.{format_}", picture.data(), f"image/{format_}"
