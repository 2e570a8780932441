# SPDX-License-Identifier: GPL-3.0-or-later
"""AI/ML API, model `magic/image-to-3d`: a textured mesh from one to four views.

Facts: docs.aimlapi.com, page “magic/image-to-3d” (a hidden page), as of 2026-01-16.
"""

from collections.abc import Mapping
from typing import ClassVar

from ._aiml.model import AimlProvider
from ._shared.images import PictureLimits
from ._shared.settings import Settings


class MagicSettings(Settings):
    """The settings of a model without options: images are its only inputs."""


class AimlMagic(AimlProvider[MagicSettings]):
    """The Magic model at AI/ML API, which the service may have disabled."""

    id = "aiml_magic"
    label = "AI/ML API Magic"
    description = "Textured mesh from one to four views; the service may not offer it"
    docs_url = "https://docs.aimlapi.com/api-references/3d-generating-models/magic/image-to-3d"
    views = ("front", "left", "back", "right")
    # No limits are documented. Four views of 2 MB become 10.7 MB of JSON, which a gateway is likely
    # to accept.
    limits = PictureLimits(max_side=2048, max_bytes=2_000_000)
    settings = MagicSettings
    model = "magic/image-to-3d"
    fields: ClassVar[Mapping[str, str]] = {
        "front": "front_image_url",
        "left": "left_image_url",
        "back": "back_image_url",
        "right": "right_image_url",
    }
    answer_timeout = 360.0
