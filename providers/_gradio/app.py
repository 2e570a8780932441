# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of a Gradio app: its named functions, and the places of their inputs.

`/config` has the components and, for each function, which of them are its inputs; `/info` has the
names of the parameters, without those that only the server sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._shared.errors import BadReply, Unreachable
from .._shared.settings import Choice, Kind
from .._shared.untrusted_text import clean, finite_number
from .errors import not_an_app, unreadable_app, wrong_server
from .spaces import wait_for_space

if TYPE_CHECKING:
    from .._shared.http.client import Http

PAGE_LIMIT = 30.0
"""Maximum seconds for each of the two pages."""
MOST_CALLS = 500
MOST_PARAMETERS = 100
SWITCHES = frozenset({"checkbox"})
NUMBERS = frozenset({"slider", "number"})
MENUS = frozenset({"dropdown", "radio"})
TEXTS = frozenset({"textbox"})
IMAGES = ("image", "imageeditor", "gallery", "file")
"""Components that take an image, the most suitable first."""
HIDDEN = "state"
LONGEST_DEFAULT = 10_000
"""Characters and values in the default of an input; each order keeps and sends all of them."""
LONGEST_CHOICE = 1000
LONGEST_TYPE = 40
"""Characters of a component's type; an app may have any."""
MOST_DEPTH = 20
CHOICES, DEFAULT = "_choices", "_default"
"""Names under which a component has what is read of it once: apps use it in any number of calls."""


class Parameter(NamedTuple):
    """One input of a function. `component` is its type, such as “slider”, in lower case.

    `name` is empty for an input that only the server sees. `title` and `description` are the app's.
    """

    name: str
    component: str
    default: Any = None
    kind: Kind | None = None
    title: str = ""
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[Choice, ...] = ()

    def accepts(self, value: Any) -> bool:
        """Return whether a value is among the choices, or within the bounds."""
        if self.choices:
            return any(choice.value == value for choice in self.choices)
        low, high = self.minimum, self.maximum
        return (low is None or value >= low) and (high is None or value <= high)


class Function(NamedTuple):
    """A named function: its number, its inputs in order, and the types of its outputs."""

    name: str
    number: int
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Return whether there is an input of this name."""
        return any(parameter.name == name for parameter in self.parameters)


class App(NamedTuple):
    """An app: the path before its routes, such as “/gradio_api”, and its functions by name."""

    prefix: str
    title: str
    functions: Mapping[str, Function]


def read_app(http: Http, *, patient: bool = False) -> App:
    """Return what the app at the address can do.

    `patient`: wait for a Space that is starting. Raises Unreachable or BadKey, with a message that
    names what answers instead.
    """
    config = _config(http, patient=patient)
    prefix = config.get("api_prefix") or ""
    if not isinstance(prefix, str) or not _is_path(prefix):
        raise unreadable_app()
    info = _page(http, f"{prefix}/info?serialize=False")
    endpoints = info.get("named_endpoints") if info else None
    if not isinstance(endpoints, dict):
        raise unreadable_app()
    functions = _functions(config, endpoints)
    title = config.get("title")
    return App(
        prefix,
        clean(title, 60) if isinstance(title, str) else "",
        {function.name: function for function in functions},
    )


def _config(http: Http, *, patient: bool) -> Mapping[str, Any]:
    while True:
        try:
            reply = http.inspect("/config", PAGE_LIMIT, with_key=True)
        except (Unreachable, BadReply) as error:
            raise wrong_server(http, error) from error
        body = reply.json
        if reply.status == 200 and isinstance(body, dict) and "dependencies" in body:
            return body
        if reply.status not in (404, 502, 503, 504):
            raise not_an_app(reply, http)
        wait_for_space(reply, http, patient=patient)


def _page(http: Http, path: str) -> Mapping[str, Any] | None:
    reply = http.inspect(path, PAGE_LIMIT, with_key=True)
    return reply.json if reply.status == 200 and isinstance(reply.json, dict) else None


def _is_path(prefix: str) -> bool:
    plain = prefix.replace("/", "").replace("_", "").replace("-", "")
    return not prefix or (prefix.startswith("/") and plain.isalnum() and plain.isascii())


def _functions(config: Mapping[str, Any], endpoints: Mapping[str, Any]) -> Iterator[Function]:
    components = {
        item["id"]: _read_component(item)
        for item in _dicts(config.get("components"))
        if isinstance(item.get("id"), int)
    }
    seen: set[str] = set()
    for item in _dicts(config.get("dependencies"))[:MOST_CALLS]:
        name, number = item.get("api_name"), item.get("id")
        endpoint = endpoints.get(f"/{name}")
        if not (isinstance(name, str) and type(number) is int and isinstance(endpoint, dict)):
            continue
        if name in seen:
            continue
        inputs, outputs = (
            _find_components(components, item.get(side)) for side in ("inputs", "outputs")
        )
        parameters = _parameters(inputs, _dicts(endpoint.get("parameters")))
        if parameters is not None:
            seen.add(name)
            types = tuple(_type(component) for component in outputs)
            yield Function(name, number, parameters, types)


def _read_component(item: Mapping[str, Any]) -> Mapping[str, Any]:
    props = item["props"] if isinstance(item.get("props"), dict) else {}
    read = {CHOICES: tuple(_choices(props)), DEFAULT: _small(props.get("value"))}
    return {**item, "props": props, **read}


def _small(value: object) -> Any:
    """Return a default; None for one that is too large or too deep to keep it with each order."""
    pending, size = [(value, 0)], 0
    while pending:
        item, depth = pending.pop()
        size += len(item) if isinstance(item, str) else 1
        if size > LONGEST_DEFAULT or depth > MOST_DEPTH:
            return None
        inner = [*item, *item.values()] if isinstance(item, dict) else _list(item)
        pending += [(part, depth + 1) for part in inner[: LONGEST_DEFAULT + 1]]
    return value


def _find_components(
    components: Mapping[int, Mapping[str, Any]], ids: object
) -> list[Mapping[str, Any]]:
    """Return the components with these ids; an empty one for an id that there is not."""
    return [components.get(key, {}) if isinstance(key, int) else {} for key in _list(ids)]


def _parameters(
    inputs: list[Mapping[str, Any]], described: list[Mapping[str, Any]]
) -> tuple[Parameter, ...] | None:
    """Return a parameter for each input of a function; None if names and inputs do not match."""
    shown = [item for item in inputs if not _is_hidden(item)]
    if len(shown) != len(described) or len(inputs) > MOST_PARAMETERS:
        return None
    names = iter(described)
    return tuple(
        Parameter("", HIDDEN) if _is_hidden(item) else _parameter(item, next(names))
        for item in inputs
    )


def _is_hidden(component: Mapping[str, Any]) -> bool:
    return _type(component) == HIDDEN or component.get("skip_api") is True


def _parameter(component: Mapping[str, Any], described: Mapping[str, Any]) -> Parameter:
    props, choices = component.get("props", {}), component.get(CHOICES, ())
    has_default = described.get("parameter_has_default") is True
    told = _small(described.get("parameter_default"))
    return Parameter(
        name=_text(described.get("parameter_name")),
        component=_type(component),
        default=told if has_default else component.get(DEFAULT),
        kind=_kind(_type(component), props, choices),
        title=_text(props.get("label")) or _text(described.get("label")),
        description=_text(props.get("info")),
        minimum=finite_number(props.get("minimum")),
        maximum=finite_number(props.get("maximum")),
        step=finite_number(props.get("step")),
        choices=choices,
    )


def _kind(component: str, props: Mapping[str, Any], choices: tuple[Choice, ...]) -> Kind | None:
    """Return the kind of setting that an input is; None if it cannot be one."""
    if component in SWITCHES:
        return "bool"
    if component in TEXTS:
        return "str"
    if component in NUMBERS:
        return "int" if _is_whole(component, props) else "float"
    is_menu = component in MENUS and choices and not props.get("multiselect")
    return "enum" if is_menu else None


def _is_whole(component: str, props: Mapping[str, Any]) -> bool:
    if component == "number":
        return props.get("precision") == 0
    numbers = [finite_number(number) for number in (props.get("step"), props.get("minimum") or 0)]
    return all(number is not None and number == int(number) for number in numbers)


def _choices(props: Mapping[str, Any]) -> Iterator[Choice]:
    for item in _list(props.get("choices")):
        title, value = item if isinstance(item, list) and len(item) == 2 else (item, item)
        if isinstance(value, int | float) or (
            isinstance(value, str) and len(value) <= LONGEST_CHOICE
        ):
            yield Choice(value, _text(title) or str(value))


def _type(component: Mapping[str, Any]) -> str:
    return _text(component.get("type"))[:LONGEST_TYPE].lower()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [item for item in _list(value) if isinstance(item, dict)]
