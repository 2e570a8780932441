# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of fal's models. It is data: a new model is an entry in `models.json`.

`models.json` has what the panel needs at once, `shapes.json` the inputs of the models, which
several may share, and `labels.json` the labels of the inputs. Sources: npm @fal-ai/client 1.10.1
and fal's pages of the models, as of November 2026. The newest ones (tripo3d/h3.1, p1, p2) are known
from clients only, so the table has no defaults for them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from .._shared.results.prices import Price

FOLDER = Path(__file__).with_name("table")
PAGE = "https://fal.ai/models/"
READ = "2026-11-28"
"""The day of the sources of all prices."""
LIST = "*"
"""In `Shape.pictures`, the view of a field that takes the images of all views as a list."""
_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Model(NamedTuple):
    """A model: its id at fal, its name and a text for the panel, its shape, and its views.

    `prices` are rows of an amount, the settings for which it holds, and whether it is a surcharge.
    """

    id: str
    name: str
    description: str
    shape: str
    prices: tuple[tuple[Any, ...], ...]
    views: tuple[str, ...]


class Shape(NamedTuple):
    """The inputs of a model.

    `pictures` has the field of each view, or of the list of all. `settings` describe the other
    inputs, as `inputs.py` reads them. `purposes` are values for “draft” and the like. `requires`
    and `idle` name the values of other inputs with which an input is accepted, or has no effect.
    `least` is the minimum number of images, and `needs` are views that cannot be left out.
    """

    pictures: Mapping[str, str]
    settings: Mapping[str, Mapping[str, Any]] = _EMPTY
    purposes: Mapping[str, Mapping[str, Any]] = _EMPTY
    requires: Mapping[str, Mapping[str, list[Any]]] = _EMPTY
    idle: Mapping[str, Mapping[str, list[Any]]] = _EMPTY
    least: int = 1
    needs: tuple[str, ...] = ()


@functools.cache
def known_models() -> Mapping[str, Model]:
    """Return the models of the table by id, in the order of the menu."""
    return {
        id_: Model(id_, row["name"], row["description"], row["shape"],
                   tuple(map(tuple, row["prices"])), tuple(row["views"]))
        for id_, row in json.loads((FOLDER / "models.json").read_bytes()).items()
    }  # fmt: skip


def price_list(unit: str) -> Iterator[Price]:
    """Yield the prices that the pages of the models state, in US dollars."""
    for model in known_models().values():
        for amount, when, *adds in model.prices:
            chosen = {name: tuple(values) for name, values in when.items()}
            yield Price(amount, f"{PAGE}{model.id}", READ, {"model": model.id, **chosen},
                        bool(adds), unit)  # fmt: skip


@functools.cache
def shape_of(model: str) -> Shape:
    """Return the inputs of a model of the table."""
    row = _read("shapes.json")[known_models()[model].shape]
    return Shape(**{**row, "needs": tuple(row.get("needs", ()))})


def label_of(name: str) -> Mapping[str, Any]:
    """Return title, description, group and `basic` of an input; empty for an unknown one."""
    label: Mapping[str, Any] = _read("labels.json").get(name, _EMPTY)
    return label


@functools.cache
def _read(file: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / file).read_bytes())
    return content
