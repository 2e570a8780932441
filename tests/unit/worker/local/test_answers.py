# SPDX-License-Identifier: GPL-3.0-or-later
"""The network is asked once about an image, from any process, and at any size."""

from __future__ import annotations

import os
import time
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from unit.local_shapes import disc, paint
from unit.worker_package import load

if TYPE_CHECKING:
    from pathlib import Path

answers = load("local.subject.answers")
box_module = load("local.subject.box")
foreground = load("local.subject.foreground")
salient = load("local.subject.salient")
SIDE = salient.SIDE


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the network; return the images that it is asked about."""
    images: list[Any] = []

    def answer(rgb: Any, _: Any) -> Any:
        images.append(rgb)
        return np.asarray(disc(SIDE, SIDE / 4), np.float32) * np.float32(0.987654)

    monkeypatch.setattr(salient, "find_salient", answer)
    monkeypatch.setattr(salient, "_answers", {})
    return images


def image_file(folder: Path, content: bytes = b"an image") -> Path:
    """Return an image's file; only its bytes matter here."""
    path = folder / "image.png"
    path.write_bytes(content)
    return path


def place_of(folder: Path, **request: Any) -> Any:
    """Return where an answer is kept, as a request of a job would."""
    picture = str(image_file(folder))
    return salient.kept_answers({"cache": str(folder / "cache"), "picture": picture, **request})


def ask_as_another_process(place: Any, size: int = 64) -> Any:
    """Return what is found in an image without what this process remembers."""
    salient._answers.clear()
    pixels = paint(np.ones((size, size)))
    return foreground.SubjectFinder(pixels, place)._whole._seen.salient


def test_one_answer_serves_all_processes_and_sizes(tmp_path: Path, asked: list[Any]) -> None:
    place = place_of(tmp_path)
    first = ask_as_another_process(place)
    second, larger = ask_as_another_process(place), ask_as_another_process(place, 300)
    assert len(asked) == 1
    assert np.array_equal(first.probability, second.probability)
    assert larger.probability.shape == (300, 300)


def find_in_box(place: Any, size: int) -> None:
    """Find the subject in a box in the middle, in another process, at a size of the image."""
    salient._answers.clear()
    box = box_module.Box(0.4, 0.4, 0.6, 0.6)
    subject = disc(size, size / 12)
    pixels = np.dstack([0.5 + 0.4 * subject] * 3 + [np.ones((size, size))]).astype(np.float32)
    foreground.SubjectFinder(pixels, place).find("auto", 0.5, box)


def test_a_part_of_a_smaller_copy_does_not_serve_the_image(
    tmp_path: Path, asked: list[Any]
) -> None:
    place = place_of(tmp_path)
    find_in_box(place, 400)  # a copy for a preview: it shows the part in less than SIDE pixels
    find_in_box(place, 2400)
    assert len(asked) == 2
    find_in_box(place, 3000)
    assert len(asked) == 2, "both show all that the network can see"


def test_the_copy_of_an_image_is_known_by_the_name_of_the_answer(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    request = {"cache": str(tmp_path / "cache"), "answer": place.name}
    assert salient.answers_named(request) == place
    for name in ("", "../elsewhere", place.name + "0", place.name.upper() + "."):
        assert salient.answers_named({**request, "answer": name}) is None


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert salient.kept_answers({"picture": str(image_file(tmp_path))}) is None
    assert salient.kept_answers({"cache": str(tmp_path), "picture": str(tmp_path / "gone")}) is None


def test_other_images_orientations_boxes_and_networks_have_other_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(tmp_path)
    names = {place.name, place_of(tmp_path, orientation=6).name, place.of_part(0.1, 0.2).name}
    names.add(place.of_part("small").of_part(0.1, 0.2).name)
    other = image_file(tmp_path, b"another image")
    names.add(salient.kept_answers({"cache": str(tmp_path), "picture": str(other)}).name)
    monkeypatch.setattr(salient, "VERSION", "another network")
    names.add(place_of(tmp_path).name)
    assert len(names) == 6


def damage(data: bytes) -> dict[str, bytes]:
    """Return files that are no answers, by what is wrong with them."""
    start = answers._MAGIC
    return {
        "empty": b"",
        "cut": data[:-20],
        "text": b"an answer of somebody else",
        "pickle": b"\x80\x04\x95" + data,
        "not packed": start + b"\xff" * 64,
        "small": start + zlib.compress(b"\0" * 8),
        "bomb": start + zlib.compress(b"\0" * (64 << 20)),
        "larger by two": start + zlib.compress(b"\0" * (2 * SIDE * SIDE + 2)),
    }


@pytest.mark.parametrize("kind", damage(b"\0" * 40))
def test_a_damaged_answer_is_replaced(tmp_path: Path, asked: list[Any], kind: str) -> None:
    place = place_of(tmp_path)
    ask_as_another_process(place)
    (file,) = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole)[kind])
    assert place.read() is None
    ask_as_another_process(place)
    assert len(asked) == 2
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path, asked: list[Any]) -> None:
    (tmp_path / "cache").write_bytes(b"a file, where the folder should be")
    place = place_of(tmp_path)
    assert ask_as_another_process(place) is not None
    assert ask_as_another_process(place) is not None
    assert len(asked) == 2


def test_old_answers_and_those_used_least_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_FILES", 3)
    now, answer = time.time(), np.zeros((SIDE, SIDE), np.float32)
    places = [answers.AnswerFile(tmp_path, f"{number}" * 64, SIDE) for number in range(5)]
    for number, place in enumerate(places[:4]):
        place.write(answer)
        age = answers.MOST_DAYS * 24 * 3600 + 60 if number == 1 else 100 - number
        os.utime(place._path, (now - age, now - age))
    assert places[0].read() is not None, "reading makes it the newest"
    places[4].write(answer)
    remaining = sorted(path.name[0] for path in tmp_path.iterdir())
    assert remaining == ["0", "3", "4"]


def test_an_answer_takes_little_room(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(size=(SIDE, SIDE)).astype(np.float32)
    answers.AnswerFile(tmp_path, "a" * 64, SIDE).write(noise)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size < answers.MOST_BYTES / 4
