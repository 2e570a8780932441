# SPDX-License-Identifier: GPL-3.0-or-later
"""Capabilities of Meshy's models, and rules for its settings.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2 to 0.6.7; as of November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._shared.messages import Message
from .._shared.settings import Settings, changed_values, settings_of, values_of

LONGEST_PROMPT = 800
"""Characters of a texture prompt; some pages of the documentation say 600."""
OF_TEXTURES = (
    "enable_pbr",
    "texture_resolution",
    "texture_prompt",
    "texture_image",
    "remove_lighting",
)
"""Settings that have no effect without textures; Meshy refuses some of them then."""
OF_REMESH = ("topology", "target_polycount", "decimation_mode")
"""Settings that have no effect without Remesh."""


class ModelCapabilities(NamedTuple):
    """The capabilities of one of Meshy's models.

    `lacks` names the settings that the model does not support, `geometry` and `textures` the
    resolutions that it does, and `faces` the maximum of Target Faces. A `smart` model makes
    triangles with the number of faces that is asked for, from a single image.
    """

    title: str
    lacks: tuple[str, ...] = ()
    geometry: tuple[str, ...] = ("standard",)
    textures: tuple[str, ...] = ("2k", "4k", "8k")
    faces: int = 300_000
    smart: bool = False


# For 7 and 7.1, pages disagree on Remove Lighting: they take it, and it has no effect.
_7_1 = ModelCapabilities("7.1", ("remove_lighting",), ("standard", "2k", "4k"))
_NOT_SMART = (
    *("geometry_resolution", "remove_lighting", "image_enhancement"),
    *("should_remesh", "topology", "decimation_mode"),
)
MODELS: Mapping[str, ModelCapabilities] = {
    "meshy-7.1": _7_1,
    "latest": _7_1._replace(title="Latest"),
    "meshy-7": ModelCapabilities("7", ("remove_lighting",), ("standard", "2k")),
    "meshy-6": ModelCapabilities("6", ("geometry_resolution",)),
    "meshy-6-lite": ModelCapabilities(
        "6 Lite", ("geometry_resolution", "remove_lighting", "image_enhancement"), textures=("2k",)
    ),
    "meshy-t2.5": ModelCapabilities("T2.5", _NOT_SMART, faces=30_000, smart=True),
    "meshy-t2": ModelCapabilities("T2", _NOT_SMART, faces=15_000, smart=True),
}


def model_of(settings: Settings) -> ModelCapabilities:
    """Return the capabilities of the model in the settings."""
    return MODELS[str(values_of(settings)["ai_model"])]


def broken_rules(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (field, sentence) for each combination of values that Meshy rejects or ignores."""
    values, model = values_of(settings), model_of(settings)
    titles = {setting.name: setting.title for setting in settings_of(type(settings))}
    for name in changed_values(settings):
        if name in model.lacks:
            missing = Message(
                "Model {model} does not support {setting}: reset it, or choose another model.",
                model=model.title,
                setting=Message.of(titles[name]),
            )
            yield name, missing
    yield from _beyond_resolutions(values, model)
    if values["should_texture"] and values["texture_prompt"] and values["texture_image"]:
        yield "texture_image", "Use either Texture Prompt or Texture Image, not both."
    if len(str(values["texture_prompt"])) > LONGEST_PROMPT:
        yield (
            "texture_prompt",
            Message("Shorten Texture Prompt to {count} characters.", count=LONGEST_PROMPT),
        )
    faces = values["target_polycount"]
    if isinstance(faces, int) and faces > model.faces:
        yield (
            "target_polycount",
            Message(
                "With model {model}, set Target Faces to at most {high}.",
                model=model.title,
                high=model.faces,
            ),
        )


def _beyond_resolutions(
    values: Mapping[str, Any], model: ModelCapabilities
) -> Iterator[tuple[str, str]]:
    """Yield (field, sentence) for resolutions that the model supports in part."""
    geometry, texture = values["geometry_resolution"], values["texture_resolution"]
    if geometry not in model.geometry and "geometry_resolution" not in model.lacks:
        yield "geometry_resolution", "4K geometry requires model 7.1."
    if values["should_texture"] and texture not in model.textures:
        yield (
            "texture_resolution",
            Message("Model {model} has 2K textures only.", model=model.title),
        )


def idle_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (field, reason) for each setting that has no effect; these are not sent."""
    values, model = values_of(settings), model_of(settings)
    for name in values:
        if name in model.lacks:
            yield name, Message("Not supported by model {model}.", model=model.title)
        elif name in OF_TEXTURES and not values["should_texture"]:
            yield name, "Has no effect without textures."
        elif name in OF_REMESH and not (values["should_remesh"] or model.smart):
            yield name, "Requires Remesh."
        elif name == "target_polycount" and values["decimation_mode"] and not model.smart:
            yield name, "Has no effect with Adaptive Faces."
        elif name == "origin_at" and not values["auto_size"]:
            yield name, "Requires Auto Size."


def sent_settings(settings: Settings) -> dict[str, Any]:
    """Return the values to send, by name.

    These are the model, and the others that have an effect and differ from the defaults.
    `should_remesh` is always among them, since its default depends on the model. The model
    decides on `model_type`, and the topology on `target_formats`: a GLB has only triangles.
    """
    model, idle = model_of(settings), {name for name, _ in settings.inactive_fields()}
    values = {name: value for name, value in changed_values(settings).items() if name not in idle}
    sent = {"ai_model": values_of(settings)["ai_model"], **values}
    sent.pop("texture_image", None)  # the content of the file is sent
    if model.smart:
        sent["model_type"] = "smart-topology"
    else:
        sent["should_remesh"] = values_of(settings)["should_remesh"]
    return {**sent, "target_formats": ["fbx" if sent.get("topology") == "quad" else "glb"]}
