# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradio apps: their functions and settings, what is sent, and what each answer means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import gradio, local_servers
from fakes.gradio import AppError, Function, Gradio, Input
from fakes.gradio_shapes import INSTANTMESH, OTHER, TRELLIS, TRIPOSR, hunyuan3d, image, slider
from fakes.local_servers import OtherServer, comfyui

from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import (
    BadKey,
    BadReply,
    ImageToMeshError,
    InvalidSettings,
    Request,
    Unreachable,
    get_provider,
)
from image_to_mesh.providers._gradio.app import read_app
from image_to_mesh.providers._gradio.errors import plain
from image_to_mesh.providers._gradio.messages import shorten
from image_to_mesh.providers._gradio.plans import choose_plan, profiles
from image_to_mesh.providers._gradio.progress import read_state
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.provider import Progress
from image_to_mesh.providers._shared.servers.event_stream import Followed

PROVIDER = get_provider("gradio")
SMALL = slider("texture_size", 512, 1024, 512, 512)
HUGE = 10**400
"""A number that JSON can have, and no float can hold."""
Connect = Callable[[Any], Http]


@pytest.fixture
def to() -> Iterator[Connect]:
    """Return a function that connects to a server."""
    made: list[Http] = []

    def connect(server: Any) -> Http:
        made.append(open_http(PROVIDER, {}, server.url, online=True, pause=lambda _: None))
        return made[-1]

    yield connect
    for http in made:
        http.close()


def settings_of(app: Gradio, to: Connect, **values: Any) -> dict[str, Any]:
    """Return what the provider makes of an app's inputs, by name."""
    request = Request(PROVIDER.settings(**values), ())
    with gradio.serving(app):
        return {row.name: row for row in PROVIDER.read_server_settings(request, to(app))}


# -- settings and plans ----------------------------------------------------------------------------


def test_the_inputs_of_all_calls_become_settings(to: Connect) -> None:
    rows = settings_of(Gradio(TRELLIS), to)
    assert list(rows) == [
        *("seed", "ss_guidance_strength", "slat_guidance_strength"),
        *("mesh_simplify", "texture_size"),
    ]
    seed, size = rows["seed"], rows["texture_size"]
    assert (seed.kind, seed.minimum, seed.maximum, seed.default) == ("int", 0, 2**31 - 1, 0)
    assert (size.step, size.basic, size.group) == (512, True, "surface")
    assert rows["mesh_simplify"].kind == "float"
    # Two sliders with one label are named by their inputs.
    titles = [row.title for row in rows.values()]
    assert titles[:3] == ["Seed", "Ss Guidance Strength", "Slat Guidance Strength"]


def test_an_unknown_app_gets_settings_of_every_kind(to: Connect) -> None:
    rows = settings_of(Gradio(OTHER), to)
    assert {name: row.kind for name, row in rows.items()} == {
        "detail": "float",
        "style": "enum",
        "smooth": "bool",
        "about": "str",
    }
    assert [choice.title for choice in rows["style"].choices] == ["Round", "Edgy"]
    assert rows["smooth"].description == "Less noise"
    assert rows["about"].default == ""


@pytest.mark.parametrize("prefix", ["", "/gradio_api"])
@pytest.mark.parametrize(
    ("functions", "name", "calls"),
    [
        (TRELLIS, "TRELLIS", ["start_session", "preprocess_image", "image_to_3d", "extract_glb"]),
        (TRIPOSR, "TripoSR", ["check_input_image", "preprocess", "generate"]),
        (TRIPOSR[1:], "TripoSR", ["preprocess", "generate"]),
        (INSTANTMESH, "InstantMesh",
         ["check_input_image", "preprocess", "generate_mvs", "make3d"]),
        (hunyuan3d(), "Hunyuan3D", ["generation_all"]),
        (hunyuan3d(caption=False), "Hunyuan3D", ["generation_all"]),
        (hunyuan3d(painter=False), "Hunyuan3D", ["shape_generation"]),
        (OTHER, "", ["make_it"]),
        ((*OTHER, TRELLIS[0]), "", ["start_session", "make_it"]),
    ],
)  # fmt: skip
def test_each_app_gets_its_plan(
    to: Connect, functions: Any, name: str, calls: list[str], prefix: str
) -> None:
    with gradio.serving(Gradio(functions, prefix)) as app:
        read = read_app(to(app))
    plan = choose_plan(read, texture=True)
    assert plan.profile.name == name
    assert [function.name for function in plan.functions] == calls
    assert read.prefix == prefix


def test_the_user_chooses_the_function(to: Connect) -> None:
    with gradio.serving(Gradio(hunyuan3d())) as app:
        read = read_app(to(app))
    shape = choose_plan(read, texture=False)
    assert [function.name for function in shape.functions] == ["shape_generation"]
    named = choose_plan(read, texture=True, api_name="/shape_generation")
    assert [function.name for function in named.functions] == ["shape_generation"]
    with pytest.raises(InvalidSettings, match="no function “paint”") as caught:
        choose_plan(read, texture=True, api_name="paint")
    assert "shape_generation" in caught.value.hint


def test_a_purpose_changes_the_usual_values(to: Connect) -> None:
    rows = settings_of(Gradio(TRELLIS), to, purpose="hero")
    assert (rows["texture_size"].default, rows["mesh_simplify"].default) == (2048, 0.9)
    assert rows["seed"].default == 0
    # What an app of another version does not accept stays as the app has it.
    small = (*TRELLIS[:3], TRELLIS[3]._replace(inputs=(*TRELLIS[3].inputs[:2], SMALL)))
    assert settings_of(Gradio(small), to, purpose="hero")["texture_size"].default == 512
    assert settings_of(Gradio(OTHER), to, purpose="hero")["detail"].default == 5


def test_the_settings_depend_on_the_choice_of_the_function() -> None:
    keys = {
        PROVIDER.server_settings_key(
            PROVIDER.settings(texture=texture, api_name=name, purpose=purpose)
        )
        for texture in (True, False)
        for name in ("", "make_it")
        for purpose in ("app", "hero")
    }
    assert len(keys) == 8


@pytest.mark.parametrize(
    ("functions", "api_name", "words"),
    [
        ((), "", "no function that makes a mesh"),
        (OTHER[:1], "", "no function that makes a mesh"),
        ((Function("text", (Input("prompt", "textbox"),), ("model3d",), OTHER[0].work),), "text",
         "takes no image"),
    ],
)  # fmt: skip
def test_an_app_that_cannot_is_refused(
    to: Connect, functions: Any, api_name: str, words: str
) -> None:
    with gradio.serving(Gradio(functions)) as app:
        read = read_app(to(app))
    with pytest.raises(InvalidSettings, match=words):
        choose_plan(read, texture=True, api_name=api_name)


def test_every_profile_is_complete() -> None:
    names = [profile.name for profile in profiles()]
    assert {"TRELLIS", "TRELLIS.2", "Hunyuan3D", "TripoSR", "InstantMesh"} == set(names)
    for profile in profiles():
        assert profile.license
        assert set(profile.purposes) <= {"draft", "game_asset", "hero", "print"}
        assert set(profile.groups.values()) <= {"quality", "surface", "mesh", "placement"}
        given = [views for step in profile.steps for views in step.images.values()]
        views = {view for row in given for view in ([row] if isinstance(row, str) else row)}
        assert "front" in views
        assert views <= set(PROVIDER.views)


# -- other servers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "kind", "words"),
    [
        (comfyui(), Unreachable, "ComfyUI answers at .*, and not a Gradio app"),
        (OtherServer(), Unreachable, "An unknown server answers"),
        (OtherServer(location="/login"), Unreachable, "An unknown server answers"),
        (OtherServer(status=401), BadKey, "requires a password"),
        (OtherServer({"/config": {"dependencies": []}}), BadReply, "does not say what it can do"),
        (OtherServer({"/config": {"dependencies": [], "api_prefix": "//evil.example"}}), BadReply,
         "does not say"),
        (OtherServer({"/config": {"dependencies": 5}, "/info?serialize=False": {}}), BadReply,
         "does not say"),
    ],
)  # fmt: skip
def test_another_server_is_named(
    to: Connect, server: OtherServer, kind: type[ImageToMeshError], words: str
) -> None:
    with local_servers.serving(server), pytest.raises(kind, match=words):
        PROVIDER.balance(to(server))


def test_no_server_is_reported(to: Connect) -> None:
    with gradio.serving(Gradio()) as app:
        pass
    with pytest.raises(Unreachable, match="No server answers"):
        PROVIDER.balance(to(app))


def test_the_right_app_passes_the_test(to: Connect) -> None:
    with gradio.serving(Gradio(TRELLIS)) as app:
        assert PROVIDER.balance(to(app)) is None
    assert not app.worked
    assert {method for method, _ in app.calls} == {"GET"}


# -- messages --------------------------------------------------------------------------------------


def state_after(*messages: dict[str, Any], is_open: bool = True) -> Any:
    """Return what the messages of a stream mean."""
    return read_state(Followed(messages, is_open))


@pytest.mark.parametrize(
    ("messages", "phase", "fraction"),
    [
        ([], "Waiting in queue", None),
        ([{"msg": "estimation", "rank": 3, "rank_eta": 60.0}], "Waiting in queue", None),
        ([{"msg": "process_starts"}], "Generating", None),
        ([{"msg": "progress", "progress_data": [{"index": 1, "length": 4}]}], "Generating", 0.25),
        ([{"msg": "progress", "progress_data": [{"index": 9, "length": 4}]}], "Generating", 1.0),
        ([{"msg": "progress", "progress_data": [{"index": 1, "length": None}]}], "Generating",
         None),
        ([{"msg": "progress", "progress_data": [{"index": 1, "length": 2}, {"index": 3}]}],
         "Generating", 0.5),
        ([{"msg": "progress", "progress_data": None}], "Generating", None),
        ([{"msg": "progress", "progress_data": [5, {"index": HUGE, "length": 2}]}], "Generating",
         None),
        ([{"msg": "progress", "progress_data": [{"index": 1, "length": HUGE}]}], "Generating",
         None),
    ],
)  # fmt: skip
def test_progress_is_read(messages: list[Any], phase: str, fraction: float | None) -> None:
    state = state_after(*messages)
    assert isinstance(state, Progress)
    assert (state.phase, state.fraction) == (phase, fraction)


def test_the_estimate_of_the_queue_is_passed_on() -> None:
    assert state_after({"msg": "estimation", "rank_eta": 60.5}).wait == 60.5
    for odd in (None, HUGE, float("inf"), "60", True):
        assert state_after({"msg": "estimation", "rank_eta": odd}).wait is None


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        ({"msg": "process_completed", "success": False, "output": {"error": "'No mesh.'"}},
         "failed", "could not make the mesh: No mesh."),
        ({"msg": "process_completed", "success": False, "output": {"error": None}},
         "failed", "did not say why"),
        ({"msg": "process_completed", "success": False, "output": None}, "failed", "not say why"),
        ({"msg": "process_completed", "success": False, "output": "Broken."}, "failed", "Broken"),
        ({"msg": "process_completed", "success": True, "output": {}}, "failed", "canceled"),
        ({"msg": "unexpected_error", "message": "404: Session not found."}, "expired", "restarted"),
        ({"msg": "unexpected_error", "message": "404: Not Found"}, "expired", "restarted"),
        ({"msg": "unexpected_error", "message": "boom"}, "uncertain", "boom"),
        ({"msg": "process_starts"}, "uncertain", "only once"),
    ],
)  # fmt: skip
def test_every_bad_end_is_an_error_of_its_kind(
    message: dict[str, Any], kind: str, words: str
) -> None:
    with pytest.raises(ImageToMeshError, match=words) as caught:
        state_after(message, is_open=False)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("You have exceeded your GPU quota", "Error"),
        ("You have exceeded your free ZeroGPU quota (60s requested vs. 0s left)", None),
        ("No GPU was available after 60s", None),
        ("GPU task aborted", "Error"),
        ("Space app has reached its GPU limit", "Error"),
        ("The requested duration is larger than the maximum allowed", "ZeroGPU illegal duration"),
        ("You have been waiting for too long", "ZeroGPU queue timeout"),
    ],
)
def test_a_space_without_a_gpu_names_the_ways_out(text: str, title: str | None) -> None:
    output = {"error": f"'{text}.'", "title": title}
    with pytest.raises(ImageToMeshError) as caught:
        state_after({"msg": "process_completed", "success": False, "output": output})
    assert caught.value.kind == "failed"
    assert caught.value.message == f"The Space has no GPU for you now: {text}."
    for way in ("later", "token", "duplicate", "own computer"):
        assert way in caught.value.hint


def test_another_failure_is_not_taken_for_a_quota() -> None:
    output = {"error": "CUDA out of memory", "title": "Error"}
    with pytest.raises(ImageToMeshError, match="could not make the mesh") as caught:
        state_after({"msg": "process_completed", "success": False, "output": output})
    assert "window" in caught.value.hint


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("'Too large.'", "Too large"),
        ('Wait. <a href="https://a.example">Sign up</a>\n for more', "Wait. Sign up for more"),
        ("steps &gt; 50 &amp; no seed", "steps > 50 & no seed"),
        ("\x1b[31mred\x1b[0m\u202e text", "red text"),
        (None, ""),
        (5, ""),
    ],
)
def test_what_an_app_says_is_shown_as_one_plain_line(said: object, shown: str) -> None:
    assert plain(said) == shown


def test_a_long_text_of_an_app_is_shortened() -> None:
    assert len(plain("word " * 5000)) <= 400


def test_long_and_deep_answers_are_shortened() -> None:
    deep: Any = "bottom"
    for _ in range(50):
        deep = [deep]
    short = shorten({"html": "x" * 10_000, "path": "/tmp/a.glb", "deep": deep, "n": 1.5})
    assert (short["html"], short["path"], short["n"]) == ("", "/tmp/a.glb", 1.5)
    assert "bottom" not in str(short["deep"])


# -- orders ----------------------------------------------------------------------------------------


def test_a_function_gets_images_in_the_form_of_its_input(to: Connect, tmp_path: Path) -> None:
    from image_to_mesh.providers._gradio.orders import join_body

    file = {"path": "/tmp/a.png"}
    for component, expected in (
        ("image", file),
        ("gallery", [{"image": file, "caption": None}]),
        ("imageeditor", {"background": file, "layers": [], "composite": file}),
    ):
        step = {"data": [None, 5], "images": [[0, component, ["front"]]], "number": 3}
        body = join_body(step, "session", {"front": file})
        assert body["data"] == [expected, 5]
        assert body["fn_index"] == 3


def test_the_fake_refuses_what_a_real_app_refuses() -> None:
    app = Gradio(TRELLIS)
    known = app.add_file("a.png", b"x")["path"]
    good = {"path": known, "meta": {"_type": "gradio.FileData"}}
    trellis = TRELLIS[2]
    values: list[Any] = [good, [], None, 0, 7.5, 3.0, "stochastic"]
    order = gradio.Order("e", trellis, values)
    assert app._values(order)["seed"] == 0
    for index, bad in ((0, {"path": known}), (0, {**good, "path": "/etc/passwd"}), (2, False),
                       (3, -1), (3, "0")):  # fmt: skip
        order.data = [*values[:index], bad, *values[index + 1 :]]
        with pytest.raises(AppError):
            app._values(order)
    order.data = values[:2] + values[3:]
    with pytest.raises(AppError):
        app._values(order)
    assert image("image").component == "image"
