# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files: what every system takes, and no two that some system takes for the same."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from image_to_mesh.jobs.disk.file_names import distinct_names, expand_user, is_reserved, safe_name
from image_to_mesh.jobs.library.store import library_folder
from image_to_mesh.jobs.steps.inputs import name_of

RESERVED = (
    "NUL",
    "con",
    "Aux",
    "prn",
    "COM1",
    "lpt9",
    "com¹",
    "CONIN$",
    "conout$",
    "nul.tar",
    "NUL ",
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cup", "cup"),
        ("Größe 猫 🐈", "Größe 猫 🐈"),
        ("a:b", "a_b"),
        ("C:x", "C_x"),
        ('q"u*e?s<t>|\\/', "q_u_e_s_t____"),
        ("ends. . .", "ends"),
        (" .hidden", "hidden"),
        ("", "picture"),
        ("..", "picture"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred\x07", "red"),
        ("half\ud83d", "half�"),
        ("bytes\udcff", "bytes�"),
        ("abc\u202egnp", "abcgnp"),
        (unicodedata.normalize("NFD", "é"), "é"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
    ],
)
def test_file_names_are_valid_on_every_system(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_of_windows_are_changed(name: str) -> None:
    assert is_reserved(name)
    assert is_reserved(f"{name}.glb")
    assert not is_reserved(f"{safe_name(name)}.glb")


def test_ordinary_names_are_not_reserved() -> None:
    names = ("console", "null", "com10x", "a.nul", "lpt", "com", "_nul")
    assert list(filter(is_reserved, names)) == []


def test_long_names_are_cut_between_characters() -> None:
    for name in ("x" * 5000, "猫" * 300, "🐈" * 255):
        assert 190 < len(safe_name(name).encode()) <= 200


@pytest.mark.parametrize(
    ("names", "distinct"),
    [
        (["a", "a-2", "a"], ["a", "a-2", "a-3"]),
        (["a", "a", "a-2"], ["a", "a-3", "a-2"]),
        (["a-2", "a", "a", "a-2"], ["a-2", "a", "a-3", "a-2-2"]),
        (["Cup", "cup", "CUP"], ["Cup", "cup-2", "CUP-3"]),
        (["é", unicodedata.normalize("NFD", "é")], ["é", "é-2"]),
        (["straße", "STRASSE"], ["straße", "STRASSE-2"]),
        (["ﬁle", "file"], ["ﬁle", "file-2"]),
        (["a:", "a?", "a_"], ["a_", "a_-2", "a_-3"]),
        (["nul", "NUL", "nul_"], ["nul_", "NUL_-2", "nul_-3"]),
        (["x" * 300, "x" * 250], ["x" * 200, "x" * 200 + "-2"]),
        ([], []),
    ],
)
def test_distinct_names_stay_distinct_on_every_system(
    names: list[str], distinct: list[str]
) -> None:
    found = distinct_names(names)
    assert found == distinct
    alike = {unicodedata.normalize("NFKC", name.casefold()) for name in found}
    assert len(alike) == len(names)
    assert distinct_names(names) == found


def test_later_names_do_not_change_earlier_ones() -> None:
    names = ["a", "a", "b"]
    assert distinct_names([*names, "c", "a"])[:3] == distinct_names(names)


def test_an_unknown_home_folder_is_not_expanded() -> None:
    assert expand_user("~no-such-user-here/x.png") == Path("~no-such-user-here/x.png")
    assert expand_user("~/x.png") == Path.home() / "x.png"


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("/in/cup.png", "cup"),
        ("/in/b\udcffd.png", "b�d"),
        ("https://a.test/x/my%20cup.png?sig=1", "my cup"),
        ("https://a.test/%1B%5B31mred.png", "red"),
        ("https://a.test", "a.test"),
        ("https://[::1", "[::1"),
        ("/in/\n.png", "picture"),
    ],
)
def test_an_image_gets_a_clean_file_name(argument: str, name: str) -> None:
    assert name_of(argument) == name


def test_an_unknown_home_in_the_library_path_is_taken_literally() -> None:
    assert library_folder("~no-such-user-here/lib", {}) == Path("~no-such-user-here/lib")


def test_names_that_differ_by_a_joiner_alone_are_the_same_on_some_systems() -> None:
    joined, apart = "\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"
    assert distinct_names([joined, apart]) == [joined, f"{apart}-2"]
