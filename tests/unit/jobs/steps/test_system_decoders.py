# SPDX-License-Identifier: GPL-3.0-or-later
"""HEIC and AVIF photos are opened by a program of the system, or refused with a next step."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import places
import pytest
from fakes.png import png_of
from fakes.running import is_gone, wait_until

from image_to_mesh.jobs import PictureSource
from image_to_mesh.jobs.steps import system_decoders
from image_to_mesh.jobs.steps.inputs import collect
from image_to_mesh.jobs.steps.system_decoders import Decoder, decode_if_needed
from image_to_mesh.providers import BadImage, Cancelled, get_provider, read_picture_info
from image_to_mesh.providers._shared.images.exif import block_of
from image_to_mesh.providers._shared.images.png import chunk

DATA = places.ROOT / "tests" / "data"
PHOTOS = ("dahlia.heic", "dahlia.avif")
needs_decoder = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("heif-dec", "heif-convert")),
    reason="libheif's heif-convert is not installed",
)
posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")


def photo(width: int = 400, height: int = 320) -> bytes:
    """Return a file that starts like a photo of this size."""
    return b"\0\0\0\x18ftypheic" + bytes(20) + b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def use_program(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, **traits: bool) -> None:
    """Let a shell script, which gets the photo and the target, be the only decoder."""
    program = folder / "decode"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    decoder = Decoder(str(program), ("{source}", "{target}"), **traits)
    monkeypatch.setattr(system_decoders, "DECODERS", {"linux": (decoder,)})


@needs_decoder
@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_becomes_a_png_of_the_same_size(name: str) -> None:
    decoded = decode_if_needed((DATA / name).read_bytes(), name)
    info = read_picture_info(decoded, name)
    assert (info.format, info.width, info.height, info.orientation) == ("png", 400, 320, 1)


@needs_decoder
def test_a_job_takes_a_photo_and_knows_its_file_again() -> None:
    data = (DATA / "dahlia.heic").read_bytes()
    source = PictureSource("dahlia", "front", lambda: data)
    (picture,), files = collect((source,), get_provider("tripo"), lambda _: b"")
    assert picture.file == "front.png"
    assert files["front.png"].startswith(b"\x89PNG")
    assert picture.original == hashlib.sha256(data).hexdigest()
    assert picture.sha256 == hashlib.sha256(files["front.png"]).hexdigest()


def test_other_images_stay_as_they_are() -> None:
    data = png_of(8, 8)
    assert decode_if_needed(data, "cup") is data


def test_without_a_program_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_decoders, "DECODERS", {sys.platform: (), "linux": ()})
    with pytest.raises(BadImage, match="cannot open") as caught:
        decode_if_needed((DATA / "dahlia.heic").read_bytes(), "dahlia")
    assert "JPEG" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (photo(16_385, 10), "16385 × 10 pixels"),
        (photo(0, 0), "damaged"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "damaged"),
    ],
)
def test_no_program_sees_a_photo_that_is_too_large_or_has_no_size(
    monkeypatch: pytest.MonkeyPatch, data: bytes, sentence: str
) -> None:
    monkeypatch.setattr(system_decoders, "_run", pytest.fail)
    with pytest.raises(BadImage, match=sentence):
        decode_if_needed(data, "photo")


@posix_only
@pytest.mark.parametrize(
    "script", ["exit 1", "true", "echo no picture > $2", "kill -9 $$", "head -c 30 $1 > $2"]
)
def test_a_program_that_fails_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    use_program(monkeypatch, tmp_path, script)
    with pytest.raises(BadImage, match="may be damaged"):
        decode_if_needed(photo(), "photo")


@posix_only
def test_a_single_tile_is_not_taken_for_the_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tile.png").write_bytes(png_of(64, 64))
    use_program(monkeypatch, tmp_path, f"cp {tmp_path}/tile.png $2", may_crop=True)
    with pytest.raises(BadImage, match="may be damaged"):
        decode_if_needed(photo(), "photo")


@posix_only
@pytest.mark.parametrize(
    ("size", "rotates", "orientation"),
    [((320, 400), True, 1), ((320, 400), False, 1), ((400, 320), False, 6), ((400, 320), True, 1)],
)
def test_a_photo_is_rotated_once(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    size: tuple[int, int],
    rotates: bool,
    orientation: int,
) -> None:
    """Libheif rotates the pixels and keeps the orientation tag."""
    data = png_of(*size)
    at = data.index(b"IDAT") - 4
    (tmp_path / "turned.png").write_bytes(data[:at] + chunk(b"eXIf", block_of(6)) + data[at:])
    use_program(monkeypatch, tmp_path, f"cp {tmp_path}/turned.png $2", rotates=rotates)
    assert read_picture_info(decode_if_needed(photo(), "x"), "x").orientation == orientation


@posix_only
def test_a_cancel_stops_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_program(monkeypatch, tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    started = time.monotonic()

    def check() -> None:
        if (tmp_path / "pid").exists():
            raise Cancelled

    with pytest.raises(Cancelled):
        decode_if_needed(photo(), "photo", check)
    assert time.monotonic() - started < 20
    assert is_gone(int((tmp_path / "pid").read_text()))


@posix_only
def test_a_program_that_takes_too_long_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(monkeypatch, tmp_path, "exec sleep 60")
    monkeypatch.setattr(system_decoders, "SECONDS", 0.2)
    with pytest.raises(BadImage, match="may be damaged"):
        decode_if_needed(photo(), "photo")


@posix_only
def test_a_program_sees_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIPO_API_KEY", "tsk_secret")
    use_program(monkeypatch, tmp_path, f"env > {tmp_path}/seen; exit 1")
    with pytest.raises(BadImage):
        decode_if_needed(photo(), "photo")
    assert "tsk_secret" not in (tmp_path / "seen").read_text()


@posix_only
def test_what_a_program_starts_is_stopped_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(monkeypatch, tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60")

    def check() -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            raise Cancelled

    with pytest.raises(Cancelled):
        decode_if_needed(photo(), "photo", check)
    number = int((tmp_path / "pid").read_text())
    wait_until(lambda: is_gone(number))


@posix_only
def test_a_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = f"""
import sys, threading, time
from pathlib import Path
from image_to_mesh.jobs.steps import system_decoders as decoders
decoders.DECODERS = {{"linux": (decoders.Decoder({str(tmp_path / "decode")!r}, ()),)}}
sys.platform = "linux"
threading.Thread(target=decoders.decode_if_needed, args=({photo()!r}, "x"), daemon=True).start()
while not Path({str(tmp_path / "pid")!r}).exists():
    time.sleep(0.02)
"""
    script = f"echo $$ > {tmp_path}/side; mv {tmp_path}/side {tmp_path}/pid; exec sleep 60"
    (tmp_path / "decode").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "decode").chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(places.IMPORTABLE)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=30)
    number = int((tmp_path / "pid").read_text())
    wait_until(lambda: is_gone(number))


@posix_only
def test_a_result_that_is_too_large_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(png_of(400, 320))
    use_program(monkeypatch, tmp_path, f"cp {tmp_path}/photo.png $2")
    assert decode_if_needed(photo(), "photo")
    monkeypatch.setattr(system_decoders, "MOST_BYTES", 10)
    with pytest.raises(BadImage, match="may be damaged"):
        decode_if_needed(photo(), "photo")


@posix_only
def test_the_result_of_a_program_that_failed_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(png_of(400, 320))
    use_program(monkeypatch, tmp_path, f"cp {tmp_path}/photo.png $2; exit 1")
    with pytest.raises(BadImage, match="may be damaged"):
        decode_if_needed(photo(), "photo")


@posix_only
def test_without_room_for_temporary_files_there_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(monkeypatch, tmp_path, "true")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(BadImage, match="could not be opened: No such file"):
        decode_if_needed(photo(), "photo")
