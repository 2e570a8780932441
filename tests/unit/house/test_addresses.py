# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's addresses: one setting, left out everywhere while it is empty."""

from __future__ import annotations

import tomllib

import addresses
import places
import pytest

SETTING = (
    "[tool.image-to-mesh.addresses]\nwebsite = {!r}\nrepository = {!r}\ndocumentation = {!r}\n"
)
EVERY = {
    "website": "https://example.org",
    "repository": "https://example.org/source",
    "documentation": "https://example.org/manual",
}


def _text(file: str) -> str:
    return (places.ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("file", addresses.FILES)
def test_every_file_has_the_addresses_of_the_setting(file: str) -> None:
    current = addresses.read(_text("pyproject.toml"))
    assert addresses.FILES[file](_text(file), current) == _text(file), "run tools/addresses.py"


@pytest.mark.parametrize("file", addresses.FILES)
def test_addresses_that_are_set_and_emptied_leave_no_trace(file: str) -> None:
    write = addresses.FILES[file]
    none = write(_text(file), {})
    every = write(none, EVERY)
    assert every != none
    assert "example.org" not in none
    assert write(every, EVERY) == every
    assert write(every, {}) == none


def test_projects_and_extensions_have_the_addresses_under_their_names() -> None:
    project = tomllib.loads(addresses.in_pyproject(_text("pyproject.toml"), EVERY))["project"]
    assert project["urls"] == {
        "Homepage": EVERY["website"],
        "Repository": EVERY["repository"],
        "Documentation": EVERY["documentation"],
    }
    manifest = _text("blender_manifest.toml")
    assert tomllib.loads(addresses.in_manifest(manifest, EVERY))["website"] == EVERY["website"]
    alone = {"repository": EVERY["repository"]}
    assert tomllib.loads(addresses.in_manifest(manifest, alone))["website"] == EVERY["repository"]


@pytest.mark.parametrize("given", ["https://example.org/manual", "https://example.org/manual/"])
def test_the_manual_is_hosted_at_the_address_of_the_documentation(given: str) -> None:
    written = addresses.in_manual(_text("state/manual.py"), {"documentation": given})
    assert '\nADDRESS = "https://example.org/manual/"\n' in written


def test_empty_addresses_are_omitted() -> None:
    assert addresses.read(SETTING.format("", "", "")) == {}
    assert addresses.read(SETTING.format(*EVERY.values())) == EVERY


@pytest.mark.parametrize("address", ["http://example.org", "example.org", "https://a b", "x"])
def test_an_address_that_is_not_https_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="website is not an https URL"):
        addresses.read(SETTING.format(address, "", ""))


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(ValueError, match="website, repository, documentation"):
        addresses.read(SETTING.format("", "", "") + 'homepage = ""\n')
