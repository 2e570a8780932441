# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and image rules of Tripo's models, shared by both versions of its API.

Sources: Tripo's migration guide and the SDKs tripo3d 0.4.2 and 1.0.0; as of 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from .._shared.bounds import Interval
from .._shared.errors import BadImage
from .._shared.http.addresses import ending_of
from .._shared.images import PictureLimits
from .._shared.messages import Message, as_message
from .._shared.provider import KeyField, Picture, Price
from .._shared.settings import Choice, Option, Settings, changed_values, settings_of, values_of

KEY = KeyField("tripo_api_key", "TRIPO_API_KEY", "API Key")
VIEWS = ("front", "left", "back", "right")
LIMITS = PictureLimits(min_side=20, max_side=6000, max_bytes=20_000_000)
TOKEN_LIFE = 24 * 3600.0


def max_concurrent(_: Any, settings: Settings) -> int:
    """Return Tripo's limit on concurrent tasks: 5 for the P models, 10 for all others."""
    model = getattr(settings, "model", "") or getattr(settings, "model_version", "")
    return 5 if str(model).startswith("P") else 10


# -- prices --------------------------------------------------------------------------------------

_PAGE, _READ = "https://docs.tripo3d.ai/get-started/pricing.html", "2026-11-20"


def _price(amount: float, **when: Any) -> Price:
    return Price(amount, _PAGE, _READ, when)


def _surcharge(amount: float, **when: Any) -> Price:
    return Price(amount, _PAGE, _READ, when, adds=True)


_H_SERIES = {
    "model": ("v3.1-20260211", "v3.0-20250812", "v2.5-20250123"),
    "geometry_quality": "standard",
}
_P1 = {"model": "P1-20260311"}
_BARE = {"texture": False, "pbr": False}
# The page says nothing of HD geometry and of 8K and fast textures: no row holds for them.
PRICES = (
    _price(20, **_H_SERIES, **_BARE),
    _price(30, **_H_SERIES, texture_quality=("standard", "detailed")),
    _price(40, **_P1, **_BARE),
    _price(50, **_P1, texture_quality="standard"),
    _surcharge(10, texture=True, texture_quality="detailed"),
    _surcharge(10, smart_low_poly=True),
    _surcharge(5, quad=True),
    _surcharge(20, generate_parts=True),
)
"""Tripo's price list for an image or several views, of its own service; a gateway has its own."""


# -- settings ------------------------------------------------------------------------------------

Seed = Interval(ge=0, le=2**31 - 1)

FaceLimit = Annotated[
    int | None,
    Interval(ge=50, le=2_000_000),
    Option(
        "Face Limit",
        "Maximum number of faces; if off, it depends on the shape",
        basic=True,
        group="mesh",
    ),
]
Texture = Annotated[
    bool, Option("Texture", "Texture the mesh with the image's colors", basic=True, group="surface")
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
ModelSeed = Annotated[int | None, Seed, Option("Model Seed", "Same seed, same shape")]
TextureSeed = Annotated[
    int | None,
    Seed,
    Option("Texture Seed", "Same seed, same textures", group="surface"),
]
STANDARD_TEXTURE = Choice("standard", "Standard", "Sufficient for most uses")
HD_TEXTURE = Choice("detailed", "HD", "Finer textures, at extra cost")
FINEST_TEXTURE = Choice("extreme", "8K", "Finest textures and largest files, at the highest cost")
GeometryQuality = Annotated[
    Literal["standard", "detailed"],
    Option(
        "Mesh Detail",
        "Level of detail of the shape",
        (
            Choice("standard", "Standard", "Sufficient for most uses"),
            Choice("detailed", "HD", "Finer shapes of up to two million faces, at extra cost"),
        ),
        basic=True,
    ),
]
TextureAlignment = Annotated[
    Literal["original_image", "geometry"],
    Option(
        "Alignment",
        "Prefer the image or the shape where they differ",
        (
            Choice("original_image", "Original Image", "Stay close to the image"),
            Choice("geometry", "Geometry", "Stay close to the shape"),
        ),
        group="surface",
    ),
]
Orientation = Annotated[
    Literal["default", "align_image"],
    Option(
        "Orientation",
        "Rotation of the mesh",
        (
            Choice("default", "Default", "Chosen by the model"),
            Choice("align_image", "Align to Image", "Rotate the mesh to match the image"),
        ),
        group="placement",
    ),
]
AutoSize = Annotated[
    bool,
    Option(
        "Auto Size", "Scale the mesh to its estimated real-world size, in meters", group="placement"
    ),
]
Quad = Annotated[
    bool,
    Option(
        "Quads",
        "Create quads instead of triangles, at extra cost; delivered as FBX, with 10,000 "
        "faces if Face Limit is off",
        basic=True,
        group="mesh",
    ),
]
SmartLowPoly = Annotated[
    bool,
    Option(
        "Smart Low Poly",
        "Create few faces with clean topology; best for simple subjects, may fail",
        group="mesh",
    ),
]
GenerateParts = Annotated[
    bool,
    Option("Separate Parts", "Split the mesh into editable parts, without textures", group="mesh"),
]
Compress = Annotated[
    Literal["", "geometry"],
    Option(
        "Compression",
        "Compression of the mesh file",
        (
            Choice("", "None", "Readable by every Blender version"),
            Choice("geometry", "Geometry", "Meshopt, for a smaller download"),
        ),
        min_blender=(5, 2),
        group="mesh",
    ),
]
ExportUv = Annotated[bool, Option("UV Map", "Unwrap the mesh; faster if off", group="surface")]
ImageAutofix = Annotated[
    bool, Option("Auto-Fix Image", "Improve the image before generating; single image only")
]

OF_TEXTURES = (
    "texture_quality",
    "texture_alignment",
    "texture_seed",
    "texture_version",
    "delight",
)
"""Settings that have no effect without textures."""


class ModelCapabilities(NamedTuple):
    """The capabilities of one of Tripo's models.

    `lacks` names the settings that the model does not support. `faces` is the range of Face Limit,
    inclusive, and `detailed` is the maximum of Face Limit with HD geometry.
    """

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


def broken_rules(settings: Settings, model: ModelCapabilities) -> Iterator[tuple[str, str]]:
    """Yield (field, sentence) for each combination of values that Tripo rejects or ignores."""
    values = values_of(settings)
    titles = {setting.name: setting.title for setting in settings_of(type(settings))}
    for name in changed_values(settings):
        if name in model.lacks:
            missing = Message(
                "Model {model} does not support {setting}: reset it, or choose another model.",
                model=model.title,
                setting=Message.of(titles[name]),
            )
            yield name, missing
    if values["generate_parts"] and (values["texture"] or values["pbr"] or values["quad"]):
        yield "generate_parts", "Separate Parts requires Texture, PBR, and Quads to be off."
    elif values["pbr"] and not values["texture"]:
        yield "texture", "PBR requires Texture: turn Texture on, or PBR off."
    limit, (low, high, feature) = values["face_limit"], _face_window(values, model)
    if isinstance(limit, int) and not low <= limit <= high:
        yield "face_limit", beyond_face_limit(feature, low, high)


def beyond_face_limit(feature: str, low: int, high: int) -> Message:
    """Return the sentence for a Face Limit outside the range that a feature requires."""
    return Message(
        "With {feature}, set Face Limit to a value from {low} to {high}.",
        feature=as_message(feature),
        low=low,
        high=high,
    )


def _face_window(values: Mapping[str, Any], model: ModelCapabilities) -> tuple[int, int, str]:
    """Return the minimum and maximum of Face Limit, and the feature or model that requires them.

    Tripo's sources disagree on Smart Low Poly; this is the range that all of them allow.
    """
    low, high = model.faces
    if values["smart_low_poly"] and values["quad"]:
        return 500, 8000, "Smart Low Poly and Quads"
    if values["smart_low_poly"]:
        return 1000, 16_000, "Smart Low Poly"
    if values["quad"]:
        return low, min(high, 150_000), "Quads"
    if values["geometry_quality"] == "detailed":
        return low, model.detailed, Message("model {model} and HD geometry", model=model.title)
    return low, high, Message("model {model}", model=model.title)


def idle_settings(settings: Settings, model: ModelCapabilities) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for each setting that has no effect.

    These are the settings that the model does not support and, without textures, those in
    `OF_TEXTURES`.
    """
    values = values_of(settings)
    for name in values:
        if name in model.lacks:
            yield name, Message("Not supported by model {model}.", model=model.title)
        elif name in OF_TEXTURES and not (values["texture"] or values["pbr"]):
            yield name, "Has no effect without textures."


def sent_settings(settings: Settings) -> dict[str, Any]:
    """Return the values to send, by name: those that have an effect and differ from the defaults.

    P1 rejects some settings even at their defaults, and a texture quality without textures causes a
    warning, so these settings are left out.
    """
    idle = {name for name, _ in settings.inactive_fields()}
    return {name: value for name, value in changed_values(settings).items() if name not in idle}


# -- images --------------------------------------------------------------------------------------


def files_of(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
    """Return the images that are files. Raises BadImage for a URL that is not https."""
    for picture in pictures:
        if picture.path is None and not (picture.url or "").startswith("https://"):
            raise BadImage(
                Message(
                    "Tripo accepts only https URLs for images, but {name} has a different one.",
                    name=picture.name,
                ),
                "Download the image and use the file.",
            )
    return tuple(picture for picture in pictures if picture.path is not None)


def format_of(picture: Picture) -> str:
    """Return Tripo's name for the format of an image, from its header or its URL.

    A URL that ends in neither `.png` nor `.webp` counts as JPEG.
    """
    if picture.info is not None:
        return picture.info.format
    ending = ending_of(picture.url or "")
    return ending if ending in ("png", "webp") else "jpeg"


def form_part(picture: Picture) -> tuple[str, bytes, str]:
    """Return an image as a file in a multipart form: its name, bytes and content type."""
    format_ = format_of(picture)
    return f"{picture.view}.{format_}", picture.data(), f"image/{format_}"
