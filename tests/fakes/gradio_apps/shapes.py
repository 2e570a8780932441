# SPDX-License-Identifier: GPL-3.0-or-later
"""Small apps of the shape of well-known ones, for a real Gradio: `shapes.py SHAPE`.

`MESH` is the mesh that they return, `PORT` where they listen, `QUEUE` how many orders may wait, and
`RECEIVED` a folder in which a file is left for each call. The seed decides what goes wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gradio as gr

QUOTA, SILENT, SLOW = 13, 17, 60
"""Seeds of an order without quota, of one that fails without a reason, and of one that is slow."""
QUOTA_TEXT = (
    "You have exceeded your GPU quota (60s requested vs. 12s left). "
    '<a href="https://huggingface.co/join">Sign up</a> to get more. Try again in 0:41:12'
)
SLOWNESS = 4.0
_MESH = os.environ["MESH"]
_RECEIVED = Path(os.environ["RECEIVED"])
PROGRESS = gr.Progress()
_sessions: set[str] = set()


def note(call: str, **values: Any) -> None:
    """Leave a file that says what a call got."""
    plain = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    number = len(list(_RECEIVED.iterdir()))
    # Under its name only once it is whole, since the tests look at any time.
    whole = Path(tempfile.mkdtemp(), "values")
    whole.write_text(json.dumps(plain))
    shutil.move(whole, _RECEIVED / f"{number:03}-{call}.json")


def mesh_file(name: str = "mesh") -> str:
    """Return a new file with the mesh, in a folder that the app may serve."""
    path = Path(tempfile.mkdtemp(), f"{name}.glb")
    shutil.copyfile(_MESH, path)
    return str(path)


def work(seed: float, progress: Any = None) -> None:
    """Do as the seed says."""
    if int(seed) == QUOTA:
        raise gr.Error(QUOTA_TEXT)
    if int(seed) == SILENT:
        raise RuntimeError("CUDA out of memory")
    for step in range(4):
        if progress is not None:
            progress((step, 4), desc="Sampling")
        time.sleep(SLOWNESS / 4 if int(seed) == SLOW else 0.05)


def start_session(req: gr.Request) -> None:
    note("start_session")
    _sessions.add(str(req.session_hash))


def check_session(req: gr.Request) -> None:
    """Raise as the apps do, whose folder for the session does not exist."""
    if req.session_hash not in _sessions:
        raise FileNotFoundError(f"tmp/{req.session_hash}/sample.mp4")


def choose_tab(*, several: bool) -> Any:
    """Return the switch of the session, and which of the rows with examples is shown."""
    return several, gr.Row.update(visible=not several), gr.Row.update(visible=several)


def trellis() -> None:
    """Build TRELLIS: two calls that share the state of a session."""
    with gr.Tabs():
        with gr.Tab(label="Single Image") as single_tab:
            image = gr.Image(label="Image Prompt", format="png", image_mode="RGBA", type="pil")
        with gr.Tab(label="Multiple Images") as several_tab:
            gallery = gr.Gallery(label="Image Prompt", format="png", type="pil")
    with gr.Row() as single_row, gr.Row() as several_row:
        pass
    is_multi, buffer = gr.State(False), gr.State()
    randomize = gr.Checkbox(label="Randomize Seed", value=True)
    seed = gr.Slider(0, 2**31 - 1, label="Seed", value=0, step=1)
    strength = gr.Slider(0.0, 10.0, label="Guidance Strength", value=7.5, step=0.1)
    steps = gr.Slider(1, 50, label="Sampling Steps", value=12, step=1)
    strength_2 = gr.Slider(0.0, 10.0, label="Guidance Strength", value=3.0, step=0.1)
    steps_2 = gr.Slider(1, 50, label="Sampling Steps", value=12, step=1)
    algorithm = gr.Radio(["stochastic", "multidiffusion"], label="Algorithm", value="stochastic")
    simplify = gr.Slider(0.9, 0.98, label="Simplify", value=0.95, step=0.01)
    size = gr.Slider(512, 2048, label="Texture Size", value=1024, step=512)
    video, model = gr.Video(), gr.Model3D(label="Extracted GLB/Gaussian")
    download, go, extract = gr.DownloadButton("Download GLB"), gr.Button("Go"), gr.Button("Extract")

    def preprocess_image(image: Any) -> Any:
        note("preprocess_image", width=image.width)
        return image.convert("RGBA")

    def get_seed(randomize_seed: bool, seed: int) -> int:
        return seed

    def image_to_3d(
        image: Any, multiimages: Any, is_multiimage: bool, seed: int,
        ss_guidance_strength: float, ss_sampling_steps: int, slat_guidance_strength: float,
        slat_sampling_steps: int, multiimage_algo: str, req: gr.Request,
        progress: Any = PROGRESS,
    ) -> Any:  # fmt: skip
        check_session(req)
        note("image_to_3d", seed=seed, ss_sampling_steps=ss_sampling_steps, mode=image.mode,
                 multiimage_algo=multiimage_algo, is_multiimage=is_multiimage,
                 count=len(multiimages or []))  # fmt: skip
        work(seed, progress)
        return {"seed": seed}, None

    def extract_glb(state: Any, mesh_simplify: float, texture_size: int, req: gr.Request) -> Any:
        check_session(req)
        note("extract_glb", seed=state["seed"], texture_size=texture_size)
        path = mesh_file()
        return path, path

    demo.load(start_session)
    switched = [is_multi, single_row, several_row]
    single_tab.select(lambda: choose_tab(several=False), outputs=switched)
    several_tab.select(lambda: choose_tab(several=True), outputs=switched)
    image.upload(preprocess_image, inputs=[image], outputs=[image])
    go.click(get_seed, [randomize, seed], [seed]).then(
        image_to_3d,
        [image, gallery, is_multi, seed, strength, steps, strength_2, steps_2, algorithm],
        [buffer, video],
    )
    extract.click(extract_glb, [buffer, simplify, size], [model, download])


def trellis2() -> None:
    """Build TRELLIS.2, whose preview is a page with pictures."""
    image = gr.Image(label="Image Prompt", format="png", image_mode="RGBA", type="pil")
    buffer, preview = gr.State(), gr.HTML()
    resolution = gr.Radio(["512", "1024", "1536"], label="Resolution", value="1024")
    seed = gr.Slider(0, 2**31 - 1, label="Seed", value=0, step=1)
    target = gr.Slider(100000, 1000000, label="Decimation Target", value=500000, step=10000)
    size = gr.Slider(1024, 4096, label="Texture Size", value=2048, step=1024)
    model, download = gr.Model3D(label="Extracted GLB"), gr.DownloadButton("Download GLB")
    go, extract = gr.Button("Generate"), gr.Button("Extract GLB")

    def preprocess_image(input: Any) -> Any:  # noqa: A002 - the app's own name
        note("preprocess_image", width=input.width)
        return input.convert("RGBA")

    def image_to_3d(
        image: Any, seed: int, resolution: str, req: gr.Request, progress: Any = PROGRESS
    ) -> Any:
        check_session(req)
        note("image_to_3d", seed=seed, resolution=resolution, mode=image.mode)
        work(seed, progress)
        return {"seed": seed}, f"<img src='data:image/jpeg;base64,{'A' * 3_000_000}'>"

    def extract_glb(state: Any, decimation_target: int, texture_size: int) -> Any:
        note("extract_glb", seed=state["seed"], decimation_target=decimation_target)
        path = mesh_file()
        return path, path

    demo.load(start_session)
    image.upload(preprocess_image, inputs=[image], outputs=[image])
    go.click(image_to_3d, [image, seed, resolution], [buffer, preview])
    extract.click(extract_glb, [buffer, target, size], [model, download])


def hunyuan3d() -> None:
    """Build Hunyuan3D: files are wrapped as updates, and the seed is random by default."""
    caption = gr.Textbox(label="Text Prompt")
    views = {name: gr.Image(label=name, type="pil") for name in ("image", "f", "b", "l", "r")}
    steps = gr.Slider(1, 100, label="Inference Steps", value=30, step=1)
    guidance = gr.Number(label="Guidance Scale", value=5.0)
    seed = gr.Slider(0, 10_000_000, label="Seed", value=1234, step=1)
    octree = gr.Slider(16, 512, label="Octree Resolution", value=256)
    remove = gr.Checkbox(label="Remove Background", value=True)
    chunks = gr.Slider(1000, 5_000_000, label="Number of Chunks", value=8000)
    randomize = gr.Checkbox(label="Randomize seed", value=True)
    white, textured = gr.File(label="Mesh"), gr.File(label="Textured")
    page, stats = gr.HTML(), gr.JSON({})
    shape, both = gr.Button("Gen Shape"), gr.Button("Gen Textured Shape")

    def make_mesh(call: str, **values: Any) -> None:
        note(call, **values)
        work(values["seed"])

    def shape_generation(
        caption: str, image: Any, mv_image_front: Any, mv_image_back: Any, mv_image_left: Any,
        mv_image_right: Any, steps: int, guidance_scale: float, seed: int, octree_resolution: int,
        check_box_rembg: bool, num_chunks: int, randomize_seed: bool,
    ) -> Any:  # fmt: skip
        make_mesh("shape_generation", seed=seed, randomize_seed=randomize_seed)
        return gr.update(value=mesh_file("white_mesh")), "<p>", {}, seed

    def generation_all(
        caption: str, image: Any, mv_image_front: Any, mv_image_back: Any, mv_image_left: Any,
        mv_image_right: Any, steps: int, guidance_scale: float, seed: int, octree_resolution: int,
        check_box_rembg: bool, num_chunks: int, randomize_seed: bool,
    ) -> Any:  # fmt: skip
        make_mesh("generation_all", seed=seed, randomize_seed=randomize_seed, steps=steps,
             left=bool(mv_image_left), octree_resolution=octree_resolution)  # fmt: skip
        wrapped = gr.update(value=mesh_file("textured_mesh"))
        return gr.update(value=mesh_file("white_mesh")), wrapped, "<p>", {}, seed

    inputs = [caption, *views.values(), steps, guidance, seed, octree, remove, chunks, randomize]
    shape.click(shape_generation, inputs, [white, page, stats, seed])
    both.click(generation_all, inputs, [white, textured, page, stats, seed])


def other() -> None:
    """Build an app that nobody knows."""
    picture, detail = gr.Image(label="Picture", type="filepath"), gr.Number(label="Detail", value=5)
    style = gr.Dropdown([("Round", "r"), ("Edgy", "e")], label="Style", value="r")
    smooth, about = gr.Checkbox(label="Smooth", value=True), gr.Textbox(label="About", value="cup")
    model, seen, go, tell = gr.Model3D(), gr.Textbox(), gr.Button("Go"), gr.Button("Describe")

    def describe(picture: str) -> str:
        return "a cup"

    def make_it(picture: str, detail: float, style: str, smooth: bool, about: str) -> str:
        note("make_it", detail=detail, style=style, smooth=smooth, about=about)
        work(detail)
        return mesh_file()

    tell.click(describe, [picture], [seen])
    go.click(make_it, [picture, detail, style, smooth, about], [model])


shape = sys.argv[1]
with gr.Blocks(title=shape) as demo:
    {"trellis": trellis, "trellis2": trellis2, "hunyuan3d": hunyuan3d, "other": other}[shape]()
demo.queue(max_size=int(os.environ.get("QUEUE", "20")), default_concurrency_limit=1)
demo.launch(
    server_name="127.0.0.1",
    server_port=int(os.environ["PORT"]),
    root_path=os.environ.get("ROOT_PATH", ""),
    quiet=True,
)
