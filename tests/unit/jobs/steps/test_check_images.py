# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspection of every image before an order, for every service and every source."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.noted import LATITUDE, NOTED, noted_jpeg, notes_in, profile, sample_picture
from fakes.overheard import overhearing
from fakes.running import Orders, end_of, spec_for
from fakes.served import SERVICES, Place
from fakes.service import Service
from PIL import Image

from image_to_mesh.cli import entry
from image_to_mesh.jobs import JobSpec, JobView, Library, PictureSource, Session, State
from image_to_mesh.providers import Provider, Secret

pytestmark = pytest.mark.usefixtures("rehearsal")


@pytest.fixture(params=SERVICES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each service's fake."""
    with SERVICES[request.param](2000) as served:
        yield served


def spec_at(place: Place, library: Path, data: bytes, **kwargs: Any) -> JobSpec:
    """Return an order of a picture at one of the services."""
    order = place.order
    keys = {name: Secret(key) for name, key in order["keys"].items()}
    return spec_for(library, data, order["provider"], keys=keys, base_url=order["url"], **kwargs)


def encode(picture: Image.Image, format_: str = "png", **kwargs: Any) -> bytes:
    """Return a picture file."""
    out = io.BytesIO()
    picture.save(out, format_, **kwargs)
    return out.getvalue()


def test_no_image_is_sent_with_its_location_or_camera_data(
    running: Session, tmp_path: Path, place: Place
) -> None:
    for name, noted in NOTED.items():
        data = noted(6)
        with overhearing() as heard:
            view = end_of(running, running.start(spec_at(place, tmp_path, data)))
        assert view.failure is None, f"{name}: {view.failure}"
        assert heard.notes() == [], name
        assert LATITUDE not in heard.pictures()
        assert view.record is not None
        picture = view.record.pictures[0]
        assert picture.file is not None
        folder = tmp_path / view.record.id
        assert (folder / picture.file).read_bytes() == data, "the user's own file stays"
        assert (folder / str(picture.sent)).read_bytes() in heard.pictures()
    assert place.creates() == len(NOTED)


def test_a_blank_image_is_never_submitted(
    running: Session, tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = sample_picture(mode="RGBA")
    clear.putalpha(0)
    for data, said in (
        (encode(Image.new("RGB", (90, 90), "white")), "one color"),
        (encode(clear), "fully transparent"),
    ):
        view = end_of(running, running.start(spec_at(place, tmp_path, data)))
        assert view.failure is not None
        assert view.failure.kind == "bad_image"
        assert said in view.failure.message
        assert view.failure.hint, "the failure has no hint"
    monkeypatch.setenv("FAKE_WORKER", "blank")
    view = end_of(running, running.start(spec_at(place, tmp_path, noted_jpeg())))
    assert view.failure is not None
    assert "one color" in view.failure.message
    assert place.creates() == 0
    assert list(Library(tmp_path).jobs()) == []


@pytest.mark.parametrize("name", NOTED)
def test_the_command_line_sends_cleaned_images_too(
    name: str,
    service: Service,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / f"photo.{name}"
    file.write_bytes(NOTED[name]())
    with overhearing() as heard:
        assert entry.main(["generate", str(file), "--provider", "rehearsal", "--quiet"]) == 0
        assert entry.main(["batch", str(tmp_path), "--provider", "rehearsal", "--quiet"]) == 0
    capsys.readouterr()
    assert heard.notes() == []
    assert len(service.submits) == 1, "the batch finds the order in the library"


def test_an_image_fetched_from_a_url_is_cleaned_too(orders: Orders, service: Service) -> None:
    data = noted_jpeg()
    source = PictureSource("photo", "front", lambda: data)
    with overhearing() as heard:
        view = orders.end(pictures=(source,))
    assert view.failure is None
    assert heard.notes() == []


def test_a_side_view_is_cleaned_and_checked_too(running: Session, tmp_path: Path) -> None:
    blank = encode(Image.new("RGB", (90, 90), "black"))
    with SERVICES["tripo"](2000) as place:
        for uploaded, failed in ((noted_jpeg(), False), (blank, True)):
            sources = (
                PictureSource("cup", "front", noted_jpeg),
                PictureSource("side", "left", lambda data=uploaded: data),  # type: ignore[misc]
            )
            with overhearing() as heard:
                spec = spec_at(place, tmp_path, b"", pictures=sources)
                view = end_of(running, running.start(spec))
            assert (view.failure is not None) is failed
            assert heard.notes() == []
        assert place.creates() == 1


def end_with(orders: Orders, data: bytes, **kwargs: Any) -> JobView:
    """Order a mesh of a picture file at the rehearsal service."""
    return orders.end(pictures=(PictureSource("cup", "front", lambda: data),), **kwargs)


def sent_of(view: JobView, library: Path) -> bytes:
    """Return the file that was sent."""
    assert view.failure is None, view.failure
    assert view.record is not None
    picture = view.record.pictures[0]
    return (library / view.record.id / (picture.sent or picture.file or "")).read_bytes()


def test_a_converted_picture_keeps_its_colors_and_has_no_notes(
    orders: Orders, tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = rehearsal.limits._replace(max_side=100)
    monkeypatch.setattr(type(rehearsal), "limits", limits)
    sent = sent_of(end_with(orders, noted_jpeg()), tmp_path)
    assert notes_in(sent) == []
    with Image.open(io.BytesIO(sent)) as picture:
        assert picture.info["icc_profile"] == profile()


def test_a_print_color_profile_is_not_attached_to_a_screen_image(
    orders: Orders, tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rehearsal), "limits", rehearsal.limits._replace(max_side=100))
    ink = profile()[:16] + b"CMYK" + profile()[20:]
    data = encode(sample_picture(mode="CMYK"), "jpeg", icc_profile=ink)
    sent = sent_of(end_with(orders, data), tmp_path)
    assert "icc_profile" not in Image.open(io.BytesIO(sent)).info


def test_without_blender_a_photo_is_sent_with_a_note_that_it_was_not_checked(
    orders: Orders, tmp_path: Path
) -> None:
    view = end_with(orders, noted_jpeg(), blender=None)
    assert notes_in(sent_of(view, tmp_path)) == []
    assert view.record is not None
    assert "cup was submitted without a check, because no Blender was found." in view.record.notes
    plain = end_with(orders, encode(sample_picture()), blender=None)
    assert plain.record is not None
    assert [note for note in plain.record.notes if "without a check" in note] == []
    blank = end_with(orders, encode(Image.new("L", (80, 80), 3)), blender=None)
    assert blank.failure is not None
    assert blank.failure.kind == "bad_image"


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_a_tiff_in_a_rare_compression_is_not_sent_unchecked(
    orders: Orders, service: Service, compression: str
) -> None:
    view = end_with(orders, encode(sample_picture(), "tiff", compression=compression), blender=None)
    assert view.failure is not None
    assert (view.failure.kind, view.state, service.submits) == ("no_blender", "queued", [])


def test_a_picture_that_crashes_blender_is_not_sent(
    orders: Orders, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "crash")
    view = end_with(orders, noted_jpeg())
    assert view.failure is not None
    assert (view.failure.kind, service.submits) == ("bad_image", [])
    assert "stopped unexpectedly while checking cup" in view.failure.message


def test_png_that_cannot_be_unpacked_is_not_sent(orders: Orders, service: Service) -> None:
    data = encode(sample_picture())
    place = data.index(b"IDAT") - 4
    short = data[:place] + encode(sample_picture((20, 20)))[place:]
    view = end_with(orders, short)
    assert view.failure is not None
    assert (view.failure.kind, service.submits) == ("bad_image", [])
    assert "cannot be decoded" in view.failure.message


def test_a_photo_too_large_only_because_of_metadata_is_not_converted(
    orders: Orders, tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noted_jpeg() + bytes(100_000)
    limits = rehearsal.limits._replace(max_bytes=90_000)
    monkeypatch.setattr(type(rehearsal), "limits", limits)
    view = end_with(orders, data)
    assert sent_of(view, tmp_path)[:2] == b"\xff\xd8"


def test_the_job_folder_holds_the_original_and_the_sent_image_only(
    orders: Orders, tmp_path: Path
) -> None:
    view = end_with(orders, noted_jpeg())
    assert view.record is not None
    names = {path.name for path in (tmp_path / view.record.id).iterdir()}
    assert {name for name in names if name.endswith((".jpg", "-seen"))} == {
        "front.jpg",
        "front-sent.jpg",
    }
    assert view.state is State.READY
