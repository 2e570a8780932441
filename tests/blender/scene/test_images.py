# SPDX-License-Identifier: GPL-3.0-or-later
"""Images from Blender are sent as their file's bytes, or encoded as an equal PNG."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.picture_files import read_picture, write_picture
from fakes.png import png_of

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

# Top row first: red, green, blue over white, black and a gray.
SIX = np.array(
    [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255)],
        [(255, 255, 255), (0, 0, 0), (188, 188, 188)],
    ],
    np.uint8,
)
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def image_source(addon: ModuleType) -> Any:
    return addon_module("scene.image_source")


@pytest.fixture
def bad_image(addon: ModuleType) -> type[Exception]:
    error: type[Exception] = addon_module("providers").BadImage
    return error


@pytest.fixture
def decode(image_source: Any, tmp_path: Path) -> Any:
    """Return a function that decodes an image as a service would: (height, width, 4), top first."""

    def run(image: bpy.types.Image) -> NDArray[np.uint8]:
        data = image_source.picture_source(image).read()
        assert data.startswith(PNG)
        path = tmp_path / "decoded.png"
        path.write_bytes(data)
        return read_picture(path)

    return run


def opaque(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate((pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)), axis=2)


def buffer_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the pixels as Blender keeps them: bottom row first, flat, with alpha."""
    return (opaque(pixels)[::-1].astype(np.float32) / 255).ravel()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_files_own_bytes_are_untouched(suffix: str, image_source: Any, tmp_path: Path) -> None:
    path = write_picture(tmp_path / f"my photo.{suffix}", SIX)
    source = image_source.picture_source(bpy.data.images.load(str(path)), "left")
    assert source.read() == path.read_bytes()
    assert (source.name, source.view) == ("my photo", "left")


def test_a_path_relative_to_the_blend_file_is_resolved(image_source: Any, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "photo.png", SIX)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    image = bpy.data.images.load("//photo.png")
    assert image_source.picture_source(image).read() == path.read_bytes()


def test_packed_bytes_are_untouched(image_source: Any, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "photo.jpg", SIX)
    stored = path.read_bytes()
    image = bpy.data.images.load(str(path))
    image.pack()
    path.unlink()
    assert image_source.picture_source(image).read() == stored


def test_unsaved_paint_is_sent(decode: Any, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "photo.png", np.zeros((2, 3, 3), np.uint8))
    image = bpy.data.images.load(str(path))
    image.pixels.foreach_set(buffer_of(SIX))
    image.update()
    assert image.is_dirty
    np.testing.assert_array_equal(decode(image), opaque(SIX))
    image.pack()
    np.testing.assert_array_equal(decode(image), opaque(SIX))


def test_a_format_that_services_do_not_know_becomes_png(decode: Any, tmp_path: Path) -> None:
    image = bpy.data.images.load(str(write_picture(tmp_path / "photo.tga", SIX)))
    np.testing.assert_array_equal(decode(image), opaque(SIX))


def test_a_generated_image_is_encoded(decode: Any) -> None:
    image = bpy.data.images.new("new", 4, 2)
    image.generated_color = (1, 0, 0, 1)
    np.testing.assert_array_equal(decode(image), np.tile((255, 0, 0, 255), (2, 4, 1)))


def test_a_float_image_is_encoded_as_srgb_with_straight_alpha(decode: Any) -> None:
    image = bpy.data.images.new("linear", 2, 1, alpha=True, float_buffer=True)
    image.pixels = (0.5, 0.5, 0.5, 1.0, 0.25, 0.0, 7.0, 0.5)
    np.testing.assert_array_equal(decode(image), [[(188, 188, 188, 255), (188, 0, 255, 128)]])


def test_non_color_data_is_not_encoded(decode: Any) -> None:
    image = bpy.data.images.new("mask", 1, 1, float_buffer=True, is_data=True)
    image.pixels = (0.5, 0.5, 0.5, 1.0)
    np.testing.assert_array_equal(decode(image), [[(128, 128, 128, 255)]])


def test_linear_bytes_are_encoded(decode: Any) -> None:
    image = bpy.data.images.new("bytes", 1, 1)
    image.colorspace_settings.name = "Linear Rec.709"
    image.pixels = (127.5 / 255, 0.0, 1.0, 1.0)
    red, green, blue, _ = decode(image)[0, 0]
    assert red == pytest.approx(188, abs=1)
    assert (green, blue) == (0, 255)


def test_the_bytes_can_be_read_after_the_image_was_removed(image_source: Any) -> None:
    image = bpy.data.images.new("gone", 3, 2)
    image.pixels.foreach_set(buffer_of(SIX))
    source = image_source.picture_source(image)
    bpy.data.images.remove(image)
    assert source.read().startswith(PNG)


@pytest.fixture
def render_result() -> bpy.types.Image:
    """A small render, half of it a red emissive plane."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.resolution_x, scene.render.resolution_y = 8, 4
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Standard"
    scene.cycles.filter_width = 0.01
    cube, camera = bpy.data.objects["Cube"], bpy.data.objects["Camera"]
    material = bpy.data.materials["Material"]
    surface = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    surface.inputs["Emission Color"].default_value = (1, 0, 0, 1)
    surface.inputs["Emission Strength"].default_value = 1
    surface.inputs["Base Color"].default_value = (0, 0, 0, 1)
    surface.inputs["Specular IOR Level"].default_value = 0
    camera.rotation_euler, camera.location = (0, 0, 0), (1, 0, 4)
    camera.data.type, camera.data.ortho_scale = "ORTHO", 4
    cube.location = (0, 0, 0)
    bpy.ops.render.render()
    return bpy.data.images["Render Result"]


FORMATS = [("JPEG", "RGB", "8"), ("OPEN_EXR", "RGBA", "16"), ("PNG", "BW", "16")]


@pytest.mark.parametrize(("file_format", "color_mode", "color_depth"), FORMATS)
def test_a_render_is_sent_as_displayed(
    file_format: str, color_mode: str, color_depth: str, render_result: Any, decode: Any
) -> None:
    settings = bpy.context.scene.render.image_settings
    settings.file_format = file_format
    settings.color_mode, settings.color_depth = color_mode, color_depth
    settings.compression = 33
    pixels = decode(render_result)
    assert pixels.shape == (4, 8, 4)
    red = np.tile((255, 0, 0, 255), (4, 4, 1))
    np.testing.assert_allclose(pixels[:, :4], red, atol=1)  # Renders are dithered.
    assert (pixels[:, 4:, 3] == 0).all()
    now = (settings.file_format, settings.color_mode, settings.color_depth, settings.compression)
    assert now == (file_format, color_mode, color_depth, 33)


def test_a_movie_output_format_is_restored(render_result: Any, decode: Any) -> None:
    settings = bpy.context.scene.render.image_settings
    if hasattr(settings, "media_type"):  # Since 5.0.
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    assert decode(render_result).shape == (4, 8, 4)
    assert settings.file_format == "FFMPEG"


def test_nothing_rendered_yet_is_refused(image_source: Any, bad_image: type[Exception]) -> None:
    def save_render(*_: Any, **__: Any) -> None:
        raise RuntimeError("Error: Image 'Render Result' could not be saved")

    image = SimpleNamespace(
        source="VIEWER", type="RENDER_RESULT", name="Render Result", save_render=save_render
    )
    with pytest.raises(bad_image, match="empty"):
        image_source.picture_source(image)


def test_a_missing_file_is_refused(
    image_source: Any, bad_image: type[Exception], tmp_path: Path
) -> None:
    path = write_picture(tmp_path / "photo.png", SIX)
    image = bpy.data.images.load(str(path))
    path.unlink()
    with pytest.raises(bad_image, match=r"photo\.png” is missing"):
        image_source.picture_source(image)


def test_unsaved_tiles_are_refused(image_source: Any, bad_image: type[Exception]) -> None:
    image = bpy.data.images.new("tiles", 8, 8, tiled=True)
    with pytest.raises(bad_image, match="not saved"):
        image_source.picture_source(image)


@pytest.mark.parametrize("name", ["IMG_1423.png", "IMG_1424.tga"])
def test_of_a_udim_image_the_active_tile_is_used(
    image_source: Any, tmp_path: Path, name: str
) -> None:
    """As Blender's own Open makes one of a phone's photos, if their numbers look like tiles."""
    for number in (1423, 1424):
        write_picture(tmp_path / f"IMG_{number}{Path(name).suffix}", SIX)
    bpy.ops.image.open(filepath=str(tmp_path / name), use_udim_detecting=True)
    image = bpy.data.images[f"IMG_<UDIM>{Path(name).suffix}"]
    assert image.source == "TILED"
    number = int(Path(name).stem[-4:])
    image.tiles.active_index = [tile.number for tile in image.tiles].index(number)
    sent = image_source.picture_source(image).read()
    assert sent.startswith(b"\x89PNG")
    if name.endswith(".png"):
        assert sent == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("suffix", ["png", "tga"])
def test_a_packed_tile_is_used(image_source: Any, tmp_path: Path, suffix: str) -> None:
    for number in (1001, 1002):
        write_picture(tmp_path / f"cup.{number}.{suffix}", SIX)
    bpy.ops.image.open(filepath=str(tmp_path / f"cup.1001.{suffix}"), use_udim_detecting=True)
    image = bpy.data.images[f"cup.<UDIM>.{suffix}"]
    image.pack()
    written = (tmp_path / f"cup.1001.{suffix}").read_bytes()
    shutil.rmtree(tmp_path)
    sent = image_source.picture_source(image).read()
    assert sent.startswith(b"\x89PNG")
    assert suffix != "png" or sent == written


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("cup.<UDIM>.png", 1001, "cup.1001.png"),
        ("cup_<UVTILE>.png", 1012, "cup_u2_v2.png"),
        ("cup.png", 1001, "cup.png"),
    ],
)
def test_a_tile_has_its_file(image_source: Any, name: str, number: int, expected: str) -> None:
    assert image_source.tile_path(Path("/a", name), number) == Path("/a", expected)


def test_a_movie_is_refused(image_source: Any, bad_image: type[Exception], tmp_path: Path) -> None:
    image = bpy.data.images.load(str(write_picture(tmp_path / "a.png", SIX)))
    image.source = "MOVIE"
    with pytest.raises(bad_image, match="movie"):
        image_source.picture_source(image)


def test_an_unreadable_file_of_an_unknown_kind_is_refused(
    image_source: Any, bad_image: type[Exception], tmp_path: Path
) -> None:
    path = tmp_path / "photo.tga"
    path.write_bytes(b"nothing that Blender reads")
    with pytest.raises(bad_image, match="no pixels"):
        image_source.picture_source(bpy.data.images.load(str(path)))


def test_a_sequence_gives_the_current_frame(image_source: Any, tmp_path: Path) -> None:
    for frame in (8, 9, 10):
        write_picture(tmp_path / f"shot2_{frame:04}.png", SIX[:, : frame - 7])
    image = bpy.data.images.load(str(tmp_path / "shot2_0008.png"))
    image.source = "SEQUENCE"
    bpy.context.scene.frame_set(10)
    expected = (tmp_path / "shot2_0010.png").read_bytes()
    assert image_source.picture_source(image).read() == expected
    bpy.context.scene.frame_set(99)
    first = (tmp_path / "shot2_0008.png").read_bytes()
    assert image_source.picture_source(image).read() == first


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("photo.JPG", "photo"),
        ("photo.png.001", "photo"),
        ("Untitled", "Untitled"),
        ("v1.2", "v1.2"),
        ("shot.0042", "shot.0042"),
        ("a/b\\c.png", "c"),
        (" .png", "picture"),
        ("é" * 60, "é" * 20),
    ],
)
def test_names_are_short_and_clear(image: str, name: str, image_source: Any) -> None:
    assert image_source.picture_name(bpy.data.images.new(image, 1, 1)) == name


def test_a_full_hd_image_is_encoded_quickly(image_source: Any) -> None:
    from time import perf_counter

    image = bpy.data.images.new("large", 1920, 1080)
    image_source.picture_source(image)
    start = perf_counter()
    image_source.picture_source(image)
    taken = perf_counter() - start
    print(f"1920 x 1080 pixels taken on the main thread in {taken * 1000:.0f} ms")
    assert taken < 2.5  # under 0.1 s on a quiet machine


def test_an_image_with_an_undecodable_name_is_accepted(addon: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"cup\xf5\x8a\x8c\x9a.png")
    path.write_bytes(png_of(64, 48))
    image = bpy.data.images.load(str(path))
    with pytest.raises(UnicodeDecodeError):
        _ = image.name
    image_source = addon_module("scene.image_source")
    source = image_source.picture_source(image)
    assert (source.name, source.read()) == ("picture", path.read_bytes())
    path.unlink()
    with pytest.raises(addon_module("providers").BadImage) as caught:
        image_source.picture_source(image)
    assert str(caught.value).isprintable()
    preflight = addon_module("state.preflight")
    assert preflight.picture_problem(image) == ""
