# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in provider: a mesh from an image's outline and depth or brightness, offline and free.

Only the declaration is here. The mesh is generated in the worker process, by `worker/local`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from ._shared.bounds import Interval
from ._shared.images import PictureLimits
from ._shared.provider import (
    CancelOutcome,
    Need,
    Progress,
    Provider,
    Recipe,
    Request,
    Result,
    Ticket,
    Uploaded,
)
from ._shared.settings import Choice, Option, Settings, values_of

if TYPE_CHECKING:
    from ._shared.http.client import Http


DEPTH_MODEL = "depth-anything-v2-small"
"""The name of the depth model. Body requires its weights; Relief uses them if they are there."""


class LocalSettings(Settings):
    """The settings of the built-in generator."""

    shape: Annotated[
        Literal["inflate", "relief", "cutout", "spin", "body"],
        Option(
            "Shape",
            "Type of mesh to create from the image",
            (
                Choice("inflate", "Inflate", "Closed, rounded body inside the outline"),
                Choice(
                    "relief",
                    "Relief",
                    "Plate raised by depth, or by brightness without the depth model",
                ),
                Choice("cutout", "Cutout", "Flat slab with rounded edges"),
                Choice("spin", "Spin", "Outline rotated about its vertical axis, as for a bottle"),
                Choice("body", "Body", "Front shaped by the depth model, with an inflated back"),
            ),
            basic=True,
        ),
    ] = "inflate"
    thickness: Annotated[
        float,
        Interval(ge=0.01, le=4.0),
        Option(
            "Thickness",
            "Depth of the shape; at 1, an inflated disk becomes a sphere",
            basic=True,
            group="mesh",
        ),
    ] = 1.0
    plate: Annotated[
        float,
        Interval(ge=0.005, le=0.5),
        Option(
            "Plate",
            "Thickness of the plate below a relief, as a fraction of its height",
            unit="factor",
            group="mesh",
        ),
    ] = 0.05
    height: Annotated[
        float,
        Interval(ge=0.001, le=1000.0),
        Option(
            "Height", "Height of the finished mesh", unit="length", group="placement", quiet=True
        ),
    ] = 1.0
    face_count: Annotated[
        int,
        Interval(ge=200, le=1_000_000),
        Option("Faces", "Approximate number of triangles", basic=True, group="mesh"),
    ] = 40_000
    smoothness: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option(
            "Smoothness", "Amount of smoothing for outline and surface", unit="factor", group="mesh"
        ),
    ] = 0.25
    foreground: Annotated[
        Literal["auto", "alpha", "border", "none"],
        Option(
            "Foreground",
            "How to separate the subject from its background",
            (
                Choice(
                    "auto",
                    "Automatic",
                    "Use transparency if there is any, otherwise the pixels that stand out",
                ),
                Choice("alpha", "Transparency", "Use the opaque pixels"),
                Choice("border", "Border Color", "Use the pixels that differ from the border"),
                Choice("none", "Whole Image", "Use all pixels"),
            ),
        ),
    ] = "auto"
    tolerance: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option(
            "Tolerance",
            "Color difference from the background; lower values keep more",
            unit="factor",
        ),
    ] = 0.5
    back: Annotated[
        Literal["mirror", "color", "rim"],
        Option(
            "Back",
            "Texture on the back of the mesh",
            (
                Choice("mirror", "Mirrored Image", "Mirror the image"),
                Choice("color", "Image Colors", "Use the image's colors without its details"),
                Choice("rim", "Rim Colors", "Continue the colors at the subject's outline"),
            ),
            group="surface",
        ),
    ] = "rim"
    texture_size: Annotated[
        int,
        Interval(ge=64, le=8192),
        Option(
            "Texture Size",
            "Maximum length of the texture's longer side",
            unit="pixel",
            group="surface",
        ),
    ] = 2048

    box_left: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option("Box Left", "Left edge of the box around the subject", unit="factor", quiet=True),
    ] = 0.0
    box_top: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option(
            "Box Top",
            "Upper edge of the box around the subject, as a fraction of the image's height, "
            "from the top",
            unit="factor",
            quiet=True,
        ),
    ] = 0.0
    box_right: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option(
            "Box Right",
            "Right edge of the box around the subject, as a fraction of the image's width, "
            "from the left",
            unit="factor",
            quiet=True,
        ),
    ] = 1.0
    box_bottom: Annotated[
        float,
        Interval(ge=0.0, le=1.0),
        Option(
            "Box Bottom",
            "Lower edge of the box around the subject, as a fraction of the image's height, "
            "from the top",
            unit="factor",
            quiet=True,
        ),
    ] = 1.0

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) if the box has no positive width; likewise for its height."""
        if self.box_left >= self.box_right:
            yield "box_right", "Box Right must be greater than Box Left."
        if self.box_top >= self.box_bottom:
            yield "box_bottom", "Box Bottom must be greater than Box Top."

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with this shape or foreground."""
        if self.shape != "relief":
            yield "plate", "Only used by Relief."
        if self.foreground in ("alpha", "none"):
            yield "tolerance", "Only used by Automatic and Border Color."


class Local(Provider[LocalSettings]):
    """Generates the mesh in the worker process: no account, no network, no cost."""

    id = "local"
    label = "Built-in (Offline)"
    description = (
        "Mesh from the outline, brightness, or depth of a single image; free, no key required"
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"blender"})
    # The worker opens images with Blender, which reads EXR and HDR as well.
    formats = frozenset({"png", "jpeg", "webp", "bmp", "tiff", "exr", "hdr"})
    limits = PictureLimits(min_side=32, max_side=8192)
    settings = LocalSettings
    has_live_preview = True
    models: ClassVar[tuple[str, ...]] = (DEPTH_MODEL,)

    def submit(
        self, request: Request[LocalSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Return a ticket that contains the settings, because there is no service to call."""
        return Ticket({"settings": values_of(request.settings)})

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the recipe, which the worker process will run."""
        # Zero, not None, because the cost is not unknown: it is free.
        return Result(recipe=Recipe("local", ticket.data["settings"]), credits=0.0)

    def models_for(self, settings: LocalSettings) -> tuple[str, ...]:
        """Return the depth model for Body, () for other shapes: Relief also works without it."""
        return self.models if settings.shape == "body" else ()

    def max_concurrent(self, settings: LocalSettings) -> int:
        """Return 2, which leaves the computer usable for other work."""
        return 2

    def license_note(self) -> str:
        """Return a note without the name of a service, since no service is involved."""
        return "The rights are those in the image"

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Return FREE, because nothing is ever charged."""
        return CancelOutcome.FREE
