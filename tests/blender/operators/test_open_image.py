# SPDX-License-Identifier: GPL-3.0-or-later
"""Open: an image file of any name, as the scene's image or as a side view."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType

OPS = bpy.ops.image_to_mesh


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Return a folder of files as phones name them, with numbers that look like UDIM tiles."""
    for name in ("IMG_1423.JPG", "IMG_1424.JPG", "IMG_20260812_1425.jpg"):
        shutil.copy(places.SAMPLE, tmp_path / name)
    return tmp_path


@pytest.fixture
def chosen(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the scene's properties, with few faces and an empty library."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    bpy.context.scene.image_to_mesh.local.face_count = 500
    return bpy.context.scene.image_to_mesh


@pytest.mark.parametrize("name", ["IMG_1423.JPG", "IMG_20260812_1425.jpg"])
def test_a_photograph_of_a_phone_becomes_a_mesh(chosen: Any, photographs: Path, name: str) -> None:
    assert OPS.open_image(filepath=str(photographs / name)) == {"FINISHED"}
    assert (Path(chosen.image.filepath).name, chosen.image.source) == (name, "FILE")
    assert OPS.generate() == {"FINISHED"}


def test_blenders_own_open_takes_it_for_tiles_and_that_works_too(
    chosen: Any, photographs: Path
) -> None:
    (photographs / "IMG_20260812_1425.jpg").unlink()  # Blender would not detect tiles beside it
    before = set(bpy.data.images)
    bpy.ops.image.open(filepath=str(photographs / "IMG_1423.JPG"), use_udim_detecting=True)
    (chosen.image,) = set(bpy.data.images) - before
    assert chosen.image.source == "TILED", "the trap does not work: this test shows nothing"
    assert OPS.generate() == {"FINISHED"}


def test_the_same_file_is_opened_once(chosen: Any, photographs: Path) -> None:
    before = len(bpy.data.images)
    for _ in range(2):
        OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    assert len(bpy.data.images) == before + 1


def test_of_several_files_the_first_is_used(chosen: Any, photographs: Path) -> None:
    before = set(bpy.data.images)
    files = [{"name": name} for name in ("IMG_1424.JPG", "IMG_1423.JPG")]
    OPS.open_image(directory=str(photographs), files=files)
    opened = {Path(image.filepath).name for image in set(bpy.data.images) - before}
    assert opened == {"IMG_1424.JPG", "IMG_1423.JPG"}
    assert Path(chosen.image.filepath).name == "IMG_1424.JPG"


def test_a_side_view_is_opened_beside_the_front(chosen: Any, photographs: Path) -> None:
    OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    OPS.open_image(filepath=str(photographs / "IMG_1424.JPG"), view="left")
    opened = [Path(image.filepath).name for image in (chosen.image, chosen.view_left)]
    assert opened == ["IMG_1423.JPG", "IMG_1424.JPG"]


def test_another_front_image_is_asked_about(chosen: Any, photographs: Path) -> None:
    OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    OPS.open_image(filepath=str(photographs / "IMG_1424.JPG"), view="left")
    OPS.open_image(filepath=str(photographs / "IMG_20260812_1425.jpg"))
    assert addon_module("state.views").foreign(chosen) == ["left"]


@pytest.mark.parametrize("name", ["open_image", "make_here"])
def test_the_file_browser_shows_thumbnails_of_images(name: str, chosen: Any) -> None:
    """It reads these properties of the operator that opens it."""
    declared = getattr(OPS, name).get_rna_type().properties
    assert {"files", "directory", "filepath"} <= set(declared.keys())
    assert declared["filter_image"].default
    assert declared["filter_folder"].default
    assert declared["filter_glob"].default.split(";") == ["*.heic", "*.heif", "*.avif"]
    known = bpy.types.FileSelectParams.bl_rna.properties["display_type"].enum_items
    chosen_type = declared["display_type"]
    assert chosen_type.enum_items[chosen_type.default].value == known["THUMBNAIL"].value


def test_a_missing_file_changes_nothing(chosen: Any, photographs: Path) -> None:
    OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    with pytest.raises(RuntimeError, match="Image file not found"):
        OPS.open_image(filepath=str(photographs / "IMG_9999.JPG"))
    assert Path(chosen.image.filepath).name == "IMG_1423.JPG"


needs_decoder = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("heif-dec", "heif-convert")),
    reason="libheif's heif-convert is not installed",
)
HEIC = places.ROOT / "tests" / "data" / "dahlia.heic"


@needs_decoder
def test_a_heic_photo_becomes_the_image_and_a_mesh(chosen: Any) -> None:
    assert OPS.open_image(filepath=str(HEIC)) == {"FINISHED"}
    assert (chosen.image.name, tuple(chosen.image.size)) == ("dahlia.heic", (400, 320))
    assert chosen.image.packed_file
    assert OPS.generate() == {"FINISHED"}


@needs_decoder
def test_a_heic_photo_can_be_a_side_view(chosen: Any, photographs: Path) -> None:
    OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    OPS.open_image(filepath=str(HEIC), view="left")
    assert (Path(chosen.image.filepath).name, chosen.view_left.name) == (
        "IMG_1423.JPG",
        "dahlia.heic",
    )


@needs_decoder
def test_a_dropped_heic_photo_becomes_a_mesh(chosen: Any) -> None:
    assert OPS.make_here(filepath=str(HEIC)) == {"FINISHED"}


@needs_decoder
def test_a_heic_photo_of_an_image_data_block_becomes_a_mesh(chosen: Any) -> None:
    chosen.image = bpy.data.images.load(str(HEIC))
    assert OPS.generate() == {"FINISHED"}


def test_without_a_program_a_heic_photo_gets_a_sentence(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addon_module("jobs.steps.system_decoders"), "DECODERS", {"linux": ()})
    with pytest.raises(RuntimeError, match=r"cannot open.*JPEG"):
        OPS.open_image(filepath=str(HEIC))
    assert chosen.image is None


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path of a HEIC photo on the clipboard, which Blender has with a window only."""
    monkeypatch.setattr(addon_module("scene.clipboard"), "find_photo", lambda _: HEIC)


@needs_decoder
def test_a_pasted_heic_photo_becomes_the_image(chosen: Any, copied: None) -> None:
    assert OPS.paste() == {"FINISHED"}
    assert (chosen.image.name, tuple(chosen.image.size)) == ("dahlia.heic", (400, 320))


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("way", ["paste", "make_here"])
def test_without_a_program_a_pasted_or_dropped_heic_photo_gets_a_sentence(
    chosen: Any, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(addon_module("jobs.steps.system_decoders"), "DECODERS", {"linux": ()})
    given = {} if way == "paste" else {"filepath": str(HEIC)}
    objects = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match=r"cannot open.*JPEG"):
        getattr(OPS, way)(**given)
    assert (chosen.image, len(bpy.data.objects)) == (None, objects)


@needs_decoder
@pytest.mark.parametrize(
    "names", [("dahlia.heic", "IMG_1423.JPG"), ("IMG_1423.JPG", "dahlia.heic")]
)
def test_several_files_may_be_photos_too(
    chosen: Any, photographs: Path, names: tuple[str, str]
) -> None:
    shutil.copy(HEIC, photographs)
    before = set(bpy.data.images)
    OPS.open_image(directory=str(photographs), files=[{"name": name} for name in names])
    opened = {Path(image.filepath).name for image in set(bpy.data.images) - before}
    assert opened == set(names)
    assert Path(chosen.image.filepath).name == names[0]
    assert all(min(image.size) > 0 for image in set(bpy.data.images) - before)


def test_an_address_is_opened_as_a_file_is(chosen: Any) -> None:
    with pytest.raises(RuntimeError, match="cannot be used"):
        OPS.open_image(filepath="http://example.org/cup.png")


@needs_decoder
def test_a_photo_is_known_by_what_it_holds(chosen: Any, tmp_path: Path) -> None:
    shutil.copy(HEIC, tmp_path / "IMG_0001.JPG")
    OPS.open_image(filepath=str(tmp_path / "IMG_0001.JPG"))
    assert tuple(chosen.image.size) == (400, 320)


@pytest.mark.parametrize("data", [b"", b"some notes"])
def test_a_file_that_is_no_image_changes_nothing(
    chosen: Any, photographs: Path, data: bytes
) -> None:
    OPS.open_image(filepath=str(photographs / "IMG_1423.JPG"))
    before = set(bpy.data.images)
    (photographs / "notes.png").write_bytes(data)
    with pytest.raises(RuntimeError, match="not an image"):
        OPS.open_image(filepath=str(photographs / "notes.png"))
    assert Path(chosen.image.filepath).name == "IMG_1423.JPG"
    assert set(bpy.data.images) == before


def test_of_several_files_all_are_opened_or_none(chosen: Any, photographs: Path) -> None:
    before = set(bpy.data.images)
    files = [{"name": name} for name in ("IMG_1423.JPG", "IMG_9999.JPG")]
    with pytest.raises(RuntimeError, match="not found"):
        OPS.open_image(directory=str(photographs), files=files)
    assert chosen.image is None
    assert set(bpy.data.images) == before
