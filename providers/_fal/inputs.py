# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of a model as settings: from the table, or from the model's own OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadReply, InvalidSettings
from .._shared.messages import Message
from .._shared.server_settings import server_setting
from .._shared.settings import Choice, Kind, Option, Setting, values_of
from .models import LIST, Shape, known_models, label_of, shape_of
from .schema import read_shape

if TYPE_CHECKING:
    from .._shared.http.client import Http

FIELDS: Mapping[str, str] = {
    "front": "front_image_field",
    "left": "left_image_field",
    "back": "back_image_field",
    "right": "right_image_field",
    LIST: "image_list_field",
}
"""Settings that hold the fields for the images of a model that is not in the table, by view."""
DECLARED = frozenset(
    ("model", "model_id", "purpose", "priority", "start_timeout", "expiration_duration_seconds")
)
"""Settings of the add-on and of the queue, which are not inputs of a model."""
GET_SETTINGS = "Click Get Settings, which asks fal for the inputs of the model."
_PLAIN: Mapping[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}


def endpoint_of(settings: Any) -> str:
    """Return the id of the model, also if the address of its page was entered."""
    if settings.model in known_models():
        return str(settings.model)
    text = settings.model_id.strip()
    page = text.partition("/models/")[2] if "://" in text else text
    names = [name for name in page.split("?")[0].split("/") if name]
    if names and names[-1] in ("api", "playground", "llms.txt"):
        names.pop()
    return "/".join(names)


def read_rows(settings: Any, http: Http) -> Iterator[Setting]:
    """Yield the inputs of the chosen model. Only for one that is not in the table, fal is asked.

    Raises InvalidSettings for a model that makes no mesh of an image.
    """
    shape = _table_shape(settings)
    if shape is None:
        shape = read_shape(endpoint_of(settings), http)
        for view, field in shape.pictures.items():
            yield _field_row(view, field)
    usual = shape.purposes.get(settings.purpose, {})
    for name, row in shape.settings.items():
        try:
            yield _row(name, row, usual)
        except BadReply:  # a name that `--set` could not take
            continue


def shape_for(settings: Any) -> Shape:
    """Return the inputs of the chosen model, as far as they are known without a call.

    Raises InvalidSettings for a model that is not in the table, and whose inputs were not read.
    """
    shape = _table_shape(settings)
    if shape is not None:
        return shape
    values = values_of(settings)
    pictures = {view: str(values[name]) for view, name in FIELDS.items() if values.get(name)}
    if not pictures:
        raise InvalidSettings("The inputs of the model are not known.", GET_SETTINGS)
    others = {*DECLARED, *FIELDS.values()}
    return Shape(pictures, {name: {} for name in values if name not in others})


def views_of(settings: Any, every: tuple[str, ...]) -> tuple[str, ...]:
    """Return the views that a model takes; `every` are all that there are."""
    model = known_models().get(settings.model)
    if model is not None:
        return model.views
    values = values_of(settings)
    if values.get(FIELDS[LIST]):
        return every
    return ("front", *(view for view in every[1:] if values.get(FIELDS[view])))


def sent_inputs(settings: Any, shape: Shape) -> dict[str, Any]:
    """Return the inputs to send: those of the purpose, and those that the user has changed.

    Inputs without an effect are left out. Raises InvalidSettings for a missing required one.
    """
    values, usual = values_of(settings), shape.purposes.get(settings.purpose, {})
    idle = {name for name, _ in idle_inputs(settings)}
    sent: dict[str, Any] = {}
    for name, row in shape.settings.items():
        value = values.get(name)
        value = usual.get(name) if value is None else value
        if row.get("required") and value in (None, ""):
            raise InvalidSettings(
                Message("The model requires a value for {setting}.", setting=_title(name)),
                GET_SETTINGS,
            )
        if value is not None and value != row.get("default") and name not in idle:
            sent[name] = value
    return sent


def refused_inputs(settings: Any) -> Iterator[tuple[str, str]]:
    """Yield (input, sentence) for each input that the model refuses with the other values."""
    shape = _table_shape(settings)
    for name, others in shape.requires.items() if shape else ():
        if _value(settings, shape, name) is True:
            for other, accepted in others.items():
                if _value(settings, shape, other) not in accepted:
                    texts = {"setting": _title(name), "other": _title(other)}
                    yield name, Message("{setting} requires {other}.", **texts)


def idle_inputs(settings: Any) -> Iterator[tuple[str, str]]:
    """Yield (input, reason) for each input that has no effect with the other values."""
    shape = _table_shape(settings)
    known = values_of(settings)
    for name, others in shape.idle.items() if shape else ():
        if name in known and all(
            _value(settings, shape, other) in values for other, values in others.items()
        ):
            titles = ", ".join(map(_title, others))
            yield name, Message("Has no effect with this value of {settings}.", settings=titles)


def _table_shape(settings: Any) -> Shape | None:
    return shape_of(settings.model) if settings.model in known_models() else None


def _value(settings: Any, shape: Shape | None, name: str) -> Any:
    """Return the value that an input has: the user's, the purpose's, or the model's own."""
    if shape is None:
        return None
    value = getattr(settings, name, None)
    if value is None:
        value = shape.purposes.get(settings.purpose, {}).get(name)
    return shape.settings[name].get("default") if value is None else value


def _title(name: str) -> str:
    title = label_of(name).get("title")
    return Message.of(title) if title else name.replace("_", " ").title()


def _field_row(view: str, field: str) -> Setting:
    name = FIELDS[view]
    about = "Input of the model that takes this image"
    return server_setting(name, "str", Option(_title(name), about, group="server"), default=field)


def _row(name: str, row: Mapping[str, Any], usual: Mapping[str, Any]) -> Setting:
    label = label_of(name)
    choices = tuple(Choice(value, _choice_title(value)) for value in row.get("choices", ()))
    kind: Kind = "enum" if choices else row.get("kind") or _PLAIN[type(row["default"])]
    default = usual.get(name, row.get("default"))
    return server_setting(
        name,
        kind,
        Option(
            str(label.get("title") or row.get("title") or name.replace("_", " ").title()),
            str(row.get("description") or label.get("description") or ""),
            choices,
            basic=label.get("basic", False) or bool(row.get("required")),
            group=label.get("group", "quality"),
        ),
        default=default,
        minimum=row.get("minimum"),
        maximum=row.get("maximum"),
        optional=default is None and not row.get("required"),
    )


def _choice_title(value: Any) -> str:
    text = str(value)
    if not text:
        return "None"
    return text.replace("_", " ").replace("-", " ").title() if text.islower() else text
