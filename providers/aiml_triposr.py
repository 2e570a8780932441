# SPDX-License-Identifier: GPL-3.0-or-later
"""AI/ML API, model `triposr`: a quick mesh with vertex colors from one image.

Facts: docs.aimlapi.com, page “triposr”, as of 2026-08-21.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from ._aiml.model import AimlProvider
from ._shared.bounds import Interval
from ._shared.images import PictureLimits
from ._shared.provider import Price
from ._shared.settings import Choice, Option, Settings


class TriposrSettings(Settings):
    """TripoSR's options. An option at its default is not sent: the service applies its own."""

    mc_resolution: Annotated[
        int,
        Interval(ge=32, le=1024),
        Option(
            "Resolution",
            "Grid cells along each axis; higher values create finer but much larger meshes, and "
            "values above 512 are not recommended",
            basic=True,
            group="mesh",
        ),
    ] = 256
    do_remove_background: Annotated[
        bool | None,
        Option(
            "Background",
            "Whether the subject is cut out before generating",
            (
                Choice(True, "Remove", "Cut out the subject before generating"),
                Choice(False, "Keep", "For images without a background"),
            ),
            basic=True,
        ),
    ] = None
    foreground_ratio: Annotated[
        float,
        Interval(ge=0.5, le=1.0),
        Option(
            "Foreground Ratio",
            "Fraction of the image that the subject fills",
            unit="factor",
        ),
    ] = 0.9
    output_format: Annotated[
        Literal["glb", "obj"],
        Option(
            "Format",
            "File format of the mesh",
            (
                Choice("glb", "GLB", "Binary glTF, with colors"),
                Choice("obj", "OBJ", "Wavefront OBJ, plain text"),
            ),
            group="mesh",
        ),
    ] = "glb"

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for `foreground_ratio` if the background is kept.

        TripoSR scales the subject only after removing the background.
        """
        if self.do_remove_background is False:
            yield "foreground_ratio", "Requires the background to be removed."


class AimlTriposr(AimlProvider[TriposrSettings]):
    """The TripoSR model at AI/ML API, which usually answers within a minute."""

    id = "aiml_triposr"
    label = "AI/ML API TripoSR"
    description = "Quick mesh with vertex colors from a single image"
    docs_url = "https://docs.aimlapi.com/api-references/3d-generating-models/stability-ai/triposr"
    # No limits are documented. TripoSR works on 512 × 512 pixels, so 2048 are more than enough, and
    # 4 MB become 5.4 MB of JSON, which a gateway is likely to accept.
    limits = PictureLimits(max_side=2048, max_bytes=4_000_000)
    settings = TriposrSettings
    model = "triposr"
    # The charge in the page's example of an answer; 2,000,000 credits are 1 USD.
    prices = (Price(182_000, docs_url, "2026-08-21"),)
    fields: ClassVar[Mapping[str, str]] = {"front": "image_url"}
    answer_timeout = 180.0
