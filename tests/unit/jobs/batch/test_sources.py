# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of a batch: files, folders, tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from image_to_mesh.jobs.batch.sources import Line, read_sources
from image_to_mesh.providers import ImageToMeshError


def names(lines: list[Line]) -> list[str]:
    """Return the pictures' file names."""
    return [Path(line.image).name for line in lines]


def test_files_folders_and_urls_are_listed_once_each(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", ".hidden.png", "notes.txt", "c.webp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "deeper.png").mkdir()
    url = "https://example.com/d.png"
    lines = read_sources([str(tmp_path), url, str(tmp_path / "a.jpg"), url])
    assert names(lines) == ["a.jpg", "b.PNG", "c.webp", "d.png"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path, between: str) -> None:
    rows = [
        ["image", " provider", "face_limit", "left"],
        ["cup.png", "tripo", "500", "side.png"],
        ["", "", "", ""],
        ["sub/pot.png", "", "", ""],
        ["https://example.com/x.png", "local", "", ""],
    ]
    table = tmp_path / "list.csv"
    text = "\r\n".join(between.join(row) for row in rows)
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    first, second, third = read_sources([str(table)])
    assert first == Line(
        str(tmp_path / "cup.png"),
        "tripo",
        {"face_limit": "500"},
        {"left": str(tmp_path / "side.png")},
    )
    assert second == Line(str(tmp_path / "sub" / "pot.png"))
    assert third == Line("https://example.com/x.png", "local")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,provider\na.png,local\n", "no column “image”"),
        ("image,image\na.png,b.png\n", "more than one column “image”"),
        ("image,note\na.png,one,two\n", "line 2"),
        ("image,note\na.png\n", "line 2"),
        ("image,note\n,one\n", "the image column is empty"),
        ('image,note\n"a.png,one\n', "line"),
        ("\x00", "no column"),
        ("", "no column"),
        ("image,provider\n", "no image"),
    ],
)
def test_a_file_that_is_not_a_table_is_reported_in_one_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    table = tmp_path / "list.csv"
    table.write_text(text, "utf-8")
    with pytest.raises(ImageToMeshError, match=said):
        read_sources([str(table)])


def test_an_empty_batch_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageToMeshError, match="no image"):
        read_sources([str(tmp_path)])
    (tmp_path / "list.csv").write_bytes("image\nä.png".encode("utf-16"))
    with pytest.raises(ImageToMeshError, match="not UTF-8") as wrong:
        read_sources([str(tmp_path / "list.csv")])
    assert "UTF-8" in wrong.value.hint
    with pytest.raises(ImageToMeshError, match="cannot be read") as gone:
        read_sources([str(tmp_path / "gone.csv")])
    assert gone.value.hint == "Check the path, or use another file."


def test_null_characters_in_a_table_are_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("image,note\na\0.png,x\n", "utf-8")
    with pytest.raises(ImageToMeshError, match="null characters"):
        read_sources([str(tmp_path / "list.csv")])
    (line,) = read_sources(["a\0.png"])
    assert line.problem is not None


@pytest.mark.parametrize("text", ['image,"note\na.png,x\n', 'image\n"a.png\n', "image\r\r\n\n\n"])
def test_broken_quotes_in_a_table_are_reported_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text, "utf-8")
    with pytest.raises(ImageToMeshError):
        read_sources([str(tmp_path / "list.csv")])


def test_a_circular_link_and_a_pipe_are_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert [line.image for line in read_sources([str(tmp_path / "loop.png")])] == [
        str(tmp_path / "loop.png")
    ]
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ImageToMeshError, match="not a file"):
        read_sources([str(tmp_path / "pipe.csv")])
