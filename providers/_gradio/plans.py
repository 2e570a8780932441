# SPDX-License-Identifier: GPL-3.0-or-later
"""Which functions of an app make a mesh, and in which order.

Well-known apps are described by the files in `apps/`: a file there is all that another app needs.
For any other app, the plan is one function, which takes an image and returns a model.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .._shared.errors import InvalidSettings
from .._shared.messages import Message
from .app import IMAGES, App, Function, Parameter

APPS = Path(__file__).with_name("apps")
FRONT, ANY = "front", "*"
MOST_BASIC = 6
"""Inputs of an unknown app that are always shown."""
STARTS = ("start_session",)
"""Functions with which unknown apps prepare a session, as those that derive from TRELLIS do."""
MODELS = ("model3d", "file", "downloadbutton")
"""Components that can return a mesh, the most suitable first."""


class Step(NamedTuple):
    """A call: its function, and by input the view of its image, or the value that it always gets.

    The input “*” is the one that takes an image. Several views are for an input that takes them all
    at once, if the user has more than one. `returns`: the view whose image is replaced by the one
    in the answer. `weight` is its share of the time. `optional`: left out where the app has no such
    function.
    """

    call: str
    images: Mapping[str, str | list[str]] = {}
    fixed: Mapping[str, Any] = {}
    returns: str = ""
    weight: float = 1.0
    optional: bool = False
    several: bool = False
    """Whether it is for orders of several images only; without it, an app takes a single one."""
    outputs: tuple[str, ...] = ()
    """The components that the function must return first; another has the same name by chance."""


class Profile(NamedTuple):
    """A kind of app: its calls in order. `texture`: whether it paints, None if that is unknown.

    `basic` are the inputs that are always shown. `license` is that of the app's model.
    """

    name: str
    steps: tuple[Step, ...]
    texture: bool | None = None
    basic: frozenset[str] = frozenset()
    groups: Mapping[str, str] = {}
    license: str = ""
    purposes: Mapping[str, Mapping[str, Any]] = {}
    """Values of inputs by purpose, such as “draft”, in place of the app's own."""


class Plan(NamedTuple):
    """The calls for one app: a profile whose steps are all there, and their functions."""

    profile: Profile
    functions: tuple[Function, ...]

    def inputs(self) -> Iterator[Parameter]:
        """Yield the inputs that are up to the user, each name once."""
        seen: set[str] = set()
        for step, function in zip(self.profile.steps, self.functions, strict=True):
            for parameter in function.parameters:
                taken = {*step.images, *step.fixed, *seen, ""}
                if parameter.name not in taken and parameter.kind is not None:
                    seen.add(parameter.name)
                    yield parameter


def choose_plan(app: App, *, texture: bool, api_name: str = "", purpose: str = "") -> Plan:
    """Return the calls that make a mesh: of a well-known app, else of the most suitable function.

    `api_name` names one of the calls. `purpose`: the values of the inputs are those for it, if the
    app is well-known. Raises InvalidSettings if the app has no such function.
    """
    wanted = api_name.strip().removeprefix("/")
    if wanted and wanted not in app.functions:
        raise InvalidSettings(
            Message("The app has no function “{name}”.", name=wanted),
            Message("Known functions: {known}.", known=", ".join(app.functions)[:400]),
        )
    fitting = [plan for plan in _known_plans(app) if not wanted or _calls(plan, wanted)]
    if fitting:
        return _for_purpose(min(fitting, key=lambda plan: _rank(plan, texture=texture)), purpose)
    return _generic_plan(app, wanted)


def useful_functions(app: App) -> dict[str, Function]:
    """Return the functions that some plan could call, by name, the likeliest first."""
    plans = list(_known_plans(app))
    known = {function.name: function for plan in plans for function in plan.functions}
    others = {name: item for name, item in app.functions.items() if image_input(item)}
    return {**known, **{start.name: start for start in _starts(app)}, **others}


def _for_purpose(plan: Plan, purpose: str) -> Plan:
    """Return a plan whose inputs start with the values for a purpose that the app accepts."""
    values = plan.profile.purposes.get(purpose, {})
    functions = (
        function._replace(
            parameters=tuple(
                item._replace(default=values[item.name])
                if item.name in values and item.accepts(values[item.name])
                else item
                for item in function.parameters
            )
        )
        for function in plan.functions
    )
    return plan._replace(functions=tuple(functions))


def _rank(plan: Plan, *, texture: bool) -> tuple[bool, int]:
    return plan.profile.texture not in (None, texture), -len(plan.functions)


def _calls(plan: Plan, name: str) -> bool:
    return any(function.name == name for function in plan.functions)


def _known_plans(app: App) -> Iterator[Plan]:
    for profile in profiles():
        steps = _steps_for(app, profile.steps)
        functions = [app.functions.get(step.call) for step in steps]
        found = tuple(function for function in functions if function is not None)
        if len(found) < len(steps) or not all(map(_fits, steps, found)):
            continue
        yield Plan(profile._replace(steps=tuple(map(_with_names, steps, found))), found)


def _steps_for(app: App, steps: Iterable[Step]) -> list[Step]:
    """Return the steps without those that an app may lack, and does."""
    steps = [step for step in steps if not step.optional or step.call in app.functions]
    lacking = [step for step in steps if step.several and not _is_there(step, app)]
    if not lacking:
        return steps
    return [_with_one_image(step) for step in steps if not step.several]


def _is_there(step: Step, app: App) -> bool:
    function = app.functions.get(step.call)
    return function is not None and function.outputs[: len(step.outputs)] == step.outputs


def _with_one_image(step: Step) -> Step:
    images = {name: view for name, view in step.images.items() if isinstance(view, str)}
    return step._replace(images=images)


def _fits(step: Step, function: Function) -> bool:
    """Return whether a function takes the image that a step has for it."""
    fronts = [name for name, view in step.images.items() if view == FRONT]
    if ANY in fronts:
        return image_input(function) is not None
    return not fronts or any(map(function.has, fronts))


def _with_names(step: Step, function: Function) -> Step:
    """Return a step with the name of the input that takes the image."""
    taken = image_input(function)
    if ANY not in step.images or taken is None:
        return step
    others = {name: view for name, view in step.images.items() if name != ANY}
    return step._replace(images={**others, taken.name: step.images[ANY]})


def _generic_plan(app: App, wanted: str) -> Plan:
    candidates = [app.functions[wanted]] if wanted else list(app.functions.values())
    function = max(candidates, key=_score, default=None)
    if function is None or not (wanted or _score(function)):
        raise InvalidSettings(
            "The app has no function that makes a mesh of an image.",
            "Choose another app, or enter the name of its function.",
        )
    taken = image_input(function)
    if taken is None:
        raise InvalidSettings(
            Message("The app's function “{name}” takes no image.", name=function.name),
            "Choose another function.",
        )
    basic = frozenset(item.name for item in function.parameters[:MOST_BASIC])
    functions = (*_starts(app), function)
    steps = (*map(Step, STARTS[: len(functions) - 1]), Step(function.name, {taken.name: FRONT}))
    return Plan(Profile("", steps, basic=basic), functions)


def _starts(app: App) -> Iterator[Function]:
    """Yield the functions that the page of an app calls before the user does anything."""
    for name in STARTS:
        function = app.functions.get(name)
        if function is not None and not any(item.name for item in function.parameters):
            yield function


def image_input(function: Function) -> Parameter | None:
    """Return the input that takes the image; None if no input does."""
    for component in IMAGES:
        for parameter in function.parameters:
            if parameter.component == component and parameter.name:
                return parameter
    return None


def _score(function: Function) -> float:
    """Return how likely a function makes a mesh of an image; 0 if it certainly does not."""
    image = image_input(function)
    found = [MODELS.index(output) for output in function.outputs if output in MODELS]
    if image is None or not found:
        return 0
    return 10 * (len(MODELS) - min(found)) - IMAGES.index(image.component)


@functools.cache
def profiles() -> tuple[Profile, ...]:
    """Return the well-known apps, by the names of their files."""
    return tuple(map(_read_profile, sorted(APPS.glob("*.toml"))))


def _read_profile(path: Path) -> Profile:
    with path.open("rb") as file:
        data = tomllib.load(file)
    return Profile(
        name=data["name"],
        steps=tuple(_steps(data["step"])),
        texture=data.get("texture"),
        basic=frozenset(data.get("basic", ())),
        groups=data.get("groups", {}),
        license=data.get("license", ""),
        purposes=data.get("purpose", {}),
    )


def _steps(rows: Iterable[dict[str, Any]]) -> Iterator[Step]:
    for row in rows:
        yield Step(**{**row, "outputs": tuple(row.get("outputs", ()))})
