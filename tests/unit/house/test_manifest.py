# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest, the locked wheels, the zips and the Python package agree."""

from __future__ import annotations

import importlib.metadata
import json
import posixpath
import re
import subprocess
import sys
import tomllib
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import manual
import package
import places
import pytest
import wheels
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_TEXT = 64
MOST_OF_MANUAL = 900_000
_RELATIVE = r"(?!\w+:|#)([^)\"'#?\s]+)"
LINKS = {
    "md": re.compile(rf"(?<!`)\[[^\]]*\]\({_RELATIVE}"),
    "html": re.compile(rf"(?:href=\"|src=\"|; url=){_RELATIVE}"),
    "css": re.compile(rf"url\(\"?{_RELATIVE}"),
}
"""Relative addresses in the kinds of text that a zip holds."""
MANIFEST = places.manifest()
PROJECT = tomllib.loads((places.ROOT / "pyproject.toml").read_text("utf-8"))


def test_versions_agree() -> None:
    assert PROJECT["project"]["version"] == MANIFEST["version"]
    assert f"\n## {MANIFEST['version']}\n" in (places.ROOT / "CHANGELOG.md").read_text("utf-8")


def test_manifest_texts_follow_blenders_rules() -> None:
    texts = [MANIFEST["tagline"], *MANIFEST["permissions"].values()]
    assert [text for text in texts if len(text) > LONGEST_TEXT or text.endswith(".")] == []


def test_the_manifest_lists_exactly_the_permissions_in_use() -> None:
    assert set(MANIFEST["permissions"]) == {"network", "files", "clipboard"}


def test_the_manifest_lists_the_locked_wheels() -> None:
    assert MANIFEST["wheels"] == [f"./wheels/{wheel.file}" for wheel in wheels.locked_wheels()]


def test_every_platform_has_its_tags() -> None:
    assert list(wheels.TAGS) == MANIFEST["platforms"]


@pytest.mark.parametrize("platform", MANIFEST["platforms"])
def test_every_python_of_a_platform_finds_one_wheel_of_each(platform: str) -> None:
    fitting = [wheel for wheel in wheels.locked_wheels() if wheel.fits(platform)]
    compiled = [wheel.file for wheel in fitting if wheel.name == wheels.COMPILED]
    tags = [f"-cp{python.replace('.', '')}-" for python in wheels.PYTHONS[platform]]
    assert len(compiled) == len(tags)
    assert all(any(tag in file for file in compiled) for tag in tags)
    pure = [wheel.name for wheel in fitting if wheel.file.endswith("-none-any.whl")]
    assert len(pure) == len(set(pure)) == len(fitting) - len(compiled)


def _needed_modules(names: list[str]) -> set[str]:
    """Return the names of these installed projects and of all that they require."""
    found: set[str] = set()
    while names:
        name = names.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            wants = map(Requirement, importlib.metadata.requires(name) or [])
            names += [
                want.name
                for want in wants
                if not want.marker or want.marker.evaluate({"extra": ""})
            ]
    return found


def test_the_lock_file_holds_every_needed_wheel_and_no_other() -> None:
    asked_for = [Requirement(text).name for text in PROJECT["project"]["dependencies"]]
    assert sorted(asked_for) == sorted(wheels.ASKED_FOR)
    assert {wheel.name for wheel in wheels.locked_wheels()} == _needed_modules(asked_for)


def test_tests_run_with_the_shipped_versions_of_modules() -> None:
    shipped = {wheel.name: wheel.version for wheel in wheels.locked_wheels()}
    installed = {name: importlib.metadata.version(name) for name in shipped}
    assert installed == shipped


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files with the wheels' names: packing needs no network."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for wheel in wheels.locked_wheels():
        (folder / wheel.file).write_text(wheel.sha256, "utf-8")
    monkeypatch.setattr(wheels, "folder", lambda: folder)
    monkeypatch.setattr(places, "DIST", tmp_path / "dist")
    return folder


def _manifest_in(file: Path) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode())


@pytest.mark.parametrize("platform", MANIFEST["platforms"])
def test_a_zip_holds_the_product_and_its_platforms_wheels(platform: str, stand_ins: Path) -> None:
    file = package.build(platform)
    assert file.name == f"image_to_mesh-{MANIFEST['version']}-{platform}.zip"
    with zipfile.ZipFile(file) as archive:
        inside = archive.namelist()
    bundled = [f"wheels/{wheel.file}" for wheel in wheels.locked_wheels() if wheel.fits(platform)]
    pages = [f"manual/{page}" for page in manual.files()]
    assert inside == [*package.product_files(), *pages, *bundled]
    narrowed = _manifest_in(file)["build"]["generated"]
    assert narrowed == {"platforms": [platform], "wheels": [f"./{name}" for name in bundled]}


def test_no_zip_holds_what_only_developers_need(stand_ins: Path) -> None:
    with zipfile.ZipFile(package.build("linux-x64")) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert "__init__.py" in tops
    assert not tops & {".ci", ".gitignore", "Makefile", "README.md", "build", "docs",
                       "pyproject.toml", "setup.py", "tests", "tools", "wheels.lock"}  # fmt: skip


def test_the_manual_in_the_zip_is_whole_and_small(stand_ins: Path) -> None:
    with zipfile.ZipFile(package.build("linux-x64")) as archive:
        pages = [entry for entry in archive.infolist() if entry.filename.startswith("manual/")]
    sources = {path.stem for path in (places.ROOT / "docs").glob("*.md")}
    built = {entry.filename for entry in pages}
    assert {f"manual/{name}.html" for name in sources} <= built
    assert [name for name in built if name.endswith(".png")], "the manual has no images"
    assert sum(entry.compress_size for entry in pages) <= MOST_OF_MANUAL


def dead_links(archive: zipfile.ZipFile) -> list[str]:
    """Return the relative links in the texts of a zip that lead to no file in it."""
    inside = set(archive.namelist())
    dead = []
    for name in inside:
        pattern = LINKS.get(name.rpartition(".")[2])
        text = archive.read(name).decode() if pattern else ""
        for link in pattern.findall(text) if pattern else ():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
            if target not in inside:
                dead.append(f"{name}: {link}")
    return sorted(dead)


def test_every_link_in_a_zip_leads_to_a_file_in_it(stand_ins: Path) -> None:
    with zipfile.ZipFile(package.build("linux-x64")) as archive:
        assert dead_links(archive) == []


def test_a_dead_link_in_a_zip_is_found(tmp_path: Path) -> None:
    texts = {
        "a.md": "[b](b.md) [c](docs/c.md#top) [d](https://example.org/) `[x](y)` [e](#top)",
        "b.md": "![image](images/d.png)",
        "manual/e.html": '<a href="../a.md">a</a> <img src="f.png"> <a href="mailto:x@x.org">',
        "manual/g.css": "body { background: url(h.png) }",
    }
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        assert dead_links(archive) == [
            "a.md: docs/c.md",
            "b.md: images/d.png",
            "manual/e.html: f.png",
            "manual/g.css: h.png",
        ]


def test_packing_twice_gives_the_same_bytes(stand_ins: Path) -> None:
    first = package.build("linux-x64").read_bytes()
    assert package.build("linux-x64").read_bytes() == first


@pytest.mark.parametrize(
    ("file", "pattern", "excluded"),
    [
        ("tests/unit/test_x.py", "/tests/", True),
        ("scene/tests/x.py", "/tests/", False),
        ("tests", "/tests/", False),
        (".gitignore", "/.git*", True),
        ("a/__pycache__/x.pyc", "__pycache__/", True),
        ("Makefile", "/Makefile", True),
        ("scene/Makefile", "/Makefile", False),
        ("a/b.zip", "*.zip", True),
    ],
)
def test_exclusions_are_read_as_git_reads_them(file: str, pattern: str, excluded: bool) -> None:
    assert package.is_excluded(file, [pattern]) is excluded


def test_a_wheel_of_another_hash_is_not_taken(tmp_path: Path) -> None:
    wheel = wheels.locked_wheels()[0]
    (tmp_path / wheel.file).write_bytes(b"something else")
    assert not wheels.is_whole(tmp_path, wheel)


def test_the_package_installs_from_a_folder_of_any_name(tmp_path: Path) -> None:
    checkout, site = tmp_path / "A b c", tmp_path / "site"
    for file in (
        "README.md",
        "pyproject.toml",
        "setup.py",
        *filter(package.is_product, package.known_files()),
    ):
        copy = checkout / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((places.ROOT / file).read_bytes())
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
             "--disable-pip-version-check", "--target", str(site), str(checkout))  # fmt: skip
    assert (site / "image_to_mesh" / "blender_manifest.toml").exists()
    code_and_data = [
        file
        for file in filter(package.is_product, package.known_files())
        # Only Blender runs presets and has samples; pages about a folder are for developers.
        if "/" in file and not file.startswith(("presets/", "samples/")) and file[-3:] != ".md"
    ]
    assert "worker/nets/u2netp.safetensors" in code_and_data
    assert any(re.fullmatch(r"providers/_\w+/\w+/.+\.(json|toml)", file) for file in code_and_data)
    assert [file for file in code_and_data if not (site / "image_to_mesh" / file).exists()] == []
    listed = _run("env", f"PYTHONPATH={site}", str(site / "bin" / "image-to-mesh"), "providers",
                      "--json")  # fmt: skip
    assert "local" in json.dumps(json.loads(listed.splitlines()[-1]))


def test_the_zip_carries_the_notices_of_what_it_contains() -> None:
    shipped = [file for file in package.known_files() if package.is_product(file)]
    notices = {"LICENSE", "worker/nets/LICENSES.md", "worker/nets/LICENSE-Apache-2.0.txt"}
    assert notices <= set(shipped)
    text = (places.ROOT / "worker/nets/LICENSE-Apache-2.0.txt").read_text("utf-8")
    assert "Apache License\n                           Version 2.0" in text
    weights = [file for file in shipped if file.endswith((".safetensors", ".npz", ".onnx"))]
    listed = (places.ROOT / "worker/nets/LICENSES.md").read_text("utf-8")
    page = (places.ROOT / "docs/licenses.md").read_text("utf-8")
    assert weights == ["worker/nets/u2netp.safetensors"]
    assert "`u2netp.safetensors`" in listed
    assert "U²-Net-p" in page
    assert len(zlib.compress((places.ROOT / weights[0]).read_bytes(), 9)) < 2_500_000


def test_every_test_picture_has_a_license() -> None:
    listed = (places.ROOT / "tests/data/LICENSES.md").read_text("utf-8")
    data = places.ROOT / "tests" / "data"
    pictures = {path for kind in ("jpg", "png", "heic", "avif") for path in data.rglob(f"*.{kind}")}
    names = {path.relative_to(data).parts[0] for path in pictures}
    assert {name for name in names if f"`{name}" not in listed} == set()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
