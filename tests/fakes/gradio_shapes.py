# SPDX-License-Identifier: GPL-3.0-or-later
"""The functions of well-known Gradio apps, for the fake; from their repositories, as of 2026."""

from __future__ import annotations

from typing import Any

from .gradio import AppError, Function, Gradio, Input, Work

QUOTA = (
    "You have exceeded your GPU quota (60s requested vs. 12s left). "
    '<a href="https://huggingface.co/join">Sign up</a> to get more. Try again in 0:41:12'
)


def slider(name: str, low: float, high: float, value: float, step: float, label: str = "") -> Input:
    """Return a slider."""
    props = {"minimum": low, "maximum": high, "value": value, "step": step, "label": label or name}
    return Input(name, "slider", props)


def image(name: str) -> Input:
    """Return an image."""
    return Input(name, "image", {"label": name})


STATE = Input("", "state")
SEED = slider("seed", 0, 2**31 - 1, 0, 1, "Seed")


def wrap(file: dict[str, Any]) -> dict[str, Any]:
    """Return a file as an update has it."""
    return {"__type__": "update", "value": file}


def _start_session(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    app.sessions[session] = {}
    return []


def _preprocess(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    return [app.add_file("image.png", b"cut out")]


def _image_to_3d(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    if session not in app.sessions:
        raise AppError(None)
    if values["seed"] == 13:
        raise AppError(QUOTA)
    app.sessions[session]["mesh"] = values
    return [None, {"video": app.add_file("sample.mp4", b"a video"), "subtitles": None}]


def _extract_glb(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    if "mesh" not in app.sessions.get(session, {}):
        raise AppError(None)
    mesh = app.add_file("sample.glb", app.mesh)
    return [mesh, wrap(mesh)]


TRELLIS = (
    Function("start_session", (), (), _start_session),
    Function("preprocess_image", (image("image"),), ("image",), _preprocess),
    Function(
        "image_to_3d",
        (
            image("image"),
            Input("multiimages", "gallery", {"value": []}),
            STATE,
            SEED,
            slider("ss_guidance_strength", 0, 10, 7.5, 0.1, "Guidance Strength"),
            slider("slat_guidance_strength", 0, 10, 3.0, 0.1, "Guidance Strength"),
            Input("multiimage_algo", "radio",
                  {"choices": [["stochastic", "stochastic"], ["multi", "multi"]],
                   "value": "stochastic"}),
        ),
        ("state", "video"),
        _image_to_3d,
    ),
    Function(
        "extract_glb",
        (
            STATE,
            slider("mesh_simplify", 0.9, 0.98, 0.95, 0.01, "Simplify"),
            slider("texture_size", 512, 2048, 1024, 512, "Texture Size"),
        ),
        ("model3d", "downloadbutton"),
        _extract_glb,
    ),
)  # fmt: skip


def _choose_tab(number: int) -> Work:
    """Return the function of one of the two tabs, which decides whether several images are used."""

    def work(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
        app.sessions.setdefault(session, {})["several"] = bool(number)
        return [None, {"visible": True, "__type__": "update"}, None]

    return work


TRELLIS_WITH_TABS = (
    *TRELLIS,
    Function("lambda", (), ("state", "row", "row"), _choose_tab(0)),
    Function("lambda_1", (), ("state", "row", "row"), _choose_tab(1)),
)


def _check_input(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    if not values["input_image"]:
        raise AppError("No image uploaded!")
    return []


def _generate(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    return [app.add_file("mesh.obj", b"v 0 0 0"), app.add_file("mesh.glb", app.mesh)]


TRIPOSR = (
    Function("check_input_image", (image("input_image"),), (), _check_input),
    Function(
        "preprocess",
        (
            image("input_image"),
            Input("do_remove_background", "checkbox", {"value": True, "label": "Remove"}),
            slider("foreground_ratio", 0.5, 1.0, 0.85, 0.05, "Foreground Ratio"),
        ),
        ("image",),
        _preprocess,
    ),
    Function(
        "generate",
        (image("image"), slider("mc_resolution", 32, 320, 256, 32, "Marching Cubes Resolution")),
        ("model3d", "model3d"),
        _generate,
    ),
)


def _views(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    app.sessions.setdefault(session, {})["views"] = True
    return [None, app.add_file("views.png", b"views")]


def _make3d(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    if "views" not in app.sessions.get(session, {}):
        raise AppError(None)
    return _generate(app, session, values)


INSTANTMESH = (
    Function("check_input_image", (image("input_image"),), (), _check_input),
    Function(
        "preprocess",
        (image("input_image"), Input("do_remove_background", "checkbox", {"value": True})),
        ("image",),
        _preprocess,
    ),
    Function(
        "generate_mvs",
        (
            image("input_image"),
            slider("sample_steps", 30, 75, 75, 5, "Sample Steps"),
            Input("sample_seed", "number", {"value": 42, "precision": 0, "label": "Seed value"}),
        ),
        ("state", "image"),
        _views,
    ),
    Function("make3d", (STATE,), ("model3d", "model3d"), _make3d),
)


def _make_shape(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    return [wrap(app.add_file("white_mesh.obj", b"v 0 0 0")), "<p>", {}, values["seed"]]


def _paint(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    textured = wrap(app.add_file("textured_mesh.glb", app.mesh))
    return [wrap(app.add_file("white_mesh.glb", b"bare")), textured, "<p>", {}, values["seed"]]


def hunyuan3d(*, painter: bool = True, caption: bool = True) -> tuple[Function, ...]:
    """Return Hunyuan3D: without a painter there is no textured mesh, and 2.1 has no caption."""
    inputs = (
        Input("caption", "textbox", {"label": "Text Prompt"}) if caption else STATE,
        *map(
            image, ("image", "mv_image_front", "mv_image_back", "mv_image_left", "mv_image_right")
        ),
        slider("steps", 1, 100, 30, 1, "Inference Steps"),
        Input("guidance_scale", "number", {"value": 5.0, "label": "Guidance Scale"}),
        slider("seed", 0, 10_000_000, 1234, 1, "Seed"),
        slider("octree_resolution", 16, 512, 256, 1, "Octree Resolution"),
        Input("check_box_rembg", "checkbox", {"value": True, "label": "Remove Background"}),
        Input("randomize_seed", "checkbox", {"value": True, "label": "Randomize seed"}),
    )
    both = Function("generation_all", inputs, ("file", "file", "html", "json", "slider"), _paint)
    shape = Function("shape_generation", inputs, ("file", "html", "json", "slider"), _make_shape)
    return (shape, both) if painter else (shape,)


def _make_it(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    return [app.add_file("made.glb", app.mesh), "text"]


def _describe(app: Gradio, session: str, values: dict[str, Any]) -> list[Any]:
    return ["a cup"]


OTHER = (
    Function("describe", (image("picture"),), ("textbox",), _describe),
    Function(
        "make_it",
        (
            image("picture"),
            STATE,
            Input("detail", "number", {"value": 5, "label": "Detail"}),
            Input("style", "dropdown", {"choices": [["Round", "r"], ["Edgy", "e"]], "value": "r"}),
            Input("smooth", "checkbox", {"value": True, "label": "Smooth", "info": "Less noise."}),
            Input("about", "textbox", {"label": "About"}),
            Input("sound", "audio", {"label": "Sound"}),
        ),
        ("model3d", "textbox"),
        _make_it,
    ),
)
"""An app that nobody knows."""
