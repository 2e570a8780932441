# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate how near each pixel of an image is, with a network that the user has downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..nets.depth_anything import estimate_nearness, input_size, open_depth_weights
from ..nets.layers import resize
from ..nets.weights import DamagedWeights, Weights
from ..refusal import Message, Refusal
from .array_types import Numbers, Singles
from .shape.raster import downscale, upscale
from .subject.answers import AnswerFile, as_kept

NAME = "depth-anything-v2-small"
"""The name of the weights in a request's `models`."""
SIDE = 518
"""Side of the square that answers are stretched to, in pixels."""
_GROUND = 0.5
"""Gray that the network sees in place of transparent pixels."""
_REMEMBERED = 4
"""Number of images whose answers are cached: dragging a setting asks about the same image again."""

_answers: dict[str, Singles] = {}


def has_depth(models: Mapping[str, str]) -> bool:
    """Return whether the weights of the depth model are among those that a request names."""
    return NAME in models


def find_nearness(
    picture: Numbers, models: Mapping[str, str], kept: AnswerFile | None = None
) -> Singles:
    """Return how near each point of an image (h, w, 4) is, from 0 to 1, without a unit.

    The result is a square (SIDE, SIDE), stretched over the image. For a new image, the network
    takes seconds. Later, the result comes from memory or from a file that is named after `kept`.
    Raise Refusal if the weights are missing or cannot be read.
    """
    if not has_depth(models):
        raise Refusal(
            "invalid_settings",
            "This shape needs the depth model, which is not on this computer.",
            "Click Download in Settings, or choose another shape.",
        )
    return _ask(picture, models[NAME], kept)


def _ask(picture: Numbers, path: str, kept: AnswerFile | None) -> Singles:
    """Return the network's answer (SIDE, SIDE) about an image (h, w, 4).

    It comes from memory, otherwise from its file, otherwise from the network. `path` is the file of
    the weights. Raise Refusal if they cannot be read.
    """
    version = _version(path)
    file = replace(kept.of_part(NAME, *version), side=SIDE) if kept else None
    key = (
        file.name
        if file
        else hashlib.sha256(picture.tobytes() + repr(version).encode()).hexdigest()
    )
    if key not in _answers:
        for old in list(_answers)[: 1 - _REMEMBERED]:
            del _answers[old]
        _answers[key] = _read_or_estimate(picture, path, version, file)
    return _answers[key]


def _version(path: str) -> tuple[int, int]:
    """Return the size and modification time of the weights file; zeros if they cannot be read.

    They change when the user replaces the file.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _read_or_estimate(
    picture: Numbers, path: str, version: tuple[int, int], file: AnswerFile | None
) -> Singles:
    answer = file.read() if file else None
    if answer is not None:
        return answer
    seen = estimate_nearness(_opaque(picture), _weights(path, version))
    square = resize(seen[None], SIDE, SIDE)[0]
    answer = as_kept(square / max(float(square.max()), 1e-6))
    if file:
        file.write(answer)
    return answer


def _opaque(picture: Numbers) -> Singles:
    """Return the colors (h, w, 3) of an image, resized to the network's input size.

    Transparent pixels are blended with gray.
    """
    alpha = picture[:, :, 3:]
    rgb = np.asarray(picture[:, :, :3] * alpha + _GROUND * (1.0 - alpha), np.float32)
    rows, columns = input_size(*rgb.shape[:2])
    # Reduced by areas and enlarged by interpolation, each side by itself.
    smaller = downscale(rgb, min(rows, rgb.shape[0]), min(columns, rgb.shape[1]))
    return upscale(smaller, rows, columns)


@lru_cache(maxsize=1)
def _weights(path: str, _version: tuple[int, int]) -> Weights:
    """Return the weights in a file, which is opened again only if its version changes.

    Raise Refusal if the weights cannot be read.
    """
    try:
        return open_depth_weights(Path(path))
    except (OSError, DamagedWeights) as error:
        raise Refusal(
            "failed",
            Message(
                "The depth model cannot be read: {reason}.",
                reason=getattr(error, "strerror", None) or str(error),
            ),
            Message("Delete {path}, and download it again.", path=path),
        ) from error
