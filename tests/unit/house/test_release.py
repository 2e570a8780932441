# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases: what is refused, what is prepared, and the files that are built."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import blenders
import package
import places
import pytest
import release

if TYPE_CHECKING:
    from pathlib import Path

CHANGELOG = "# Changelog\n\n## Unreleased\n{}\n## 0.1.0\n\n- First version.\n"
SERVER = """
import hashlib, json, pathlib, sys
folder = pathlib.Path(sys.argv[-1].removeprefix("--repo-dir="))
entries = [
    {"archive_url": f"./{file.name}", "archive_hash": "sha256:" + hashlib.sha256(
        file.read_bytes()).hexdigest()}
    for file in folder.glob("*.zip")
]
(folder / "index.json").write_text(json.dumps({"version": "v1", "data": entries[LEFT_OUT:]}))
"""


def _git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def _commit(root: Path) -> None:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", "release: a version")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of version 0.1.0, all of it released."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "blender_manifest.toml").write_text('id = "a"\nversion = "0.1.0"\n', "utf-8")
    (root / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "0.1.0"\n', "utf-8")
    (root / "CHANGELOG.md").write_text(CHANGELOG.format(""), "utf-8")
    _git(root, "init", "--quiet")
    _commit(root)
    return root


def _list_a_change(root: Path) -> None:
    (root / "CHANGELOG.md").write_text(CHANGELOG.format("\n- Faster.\n"), "utf-8")
    _commit(root)


def test_a_commit_whose_files_agree_is_released(checkout: Path) -> None:
    assert release.releasable(checkout) == "0.1.0"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("blender_manifest.toml", "0.1.0", "0.2.0"),
        ("pyproject.toml", "0.1.0", "0.2.0"),
        ("CHANGELOG.md", "## 0.1.0", "## 0.2.0"),
    ],
)
def test_versions_that_disagree_are_refused(checkout: Path, file: str, old: str, new: str) -> None:
    path = checkout / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    _commit(checkout)
    with pytest.raises(release.Refused, match=rf"{file} says 0\.2\.0"):
        release.releasable(checkout)


@pytest.mark.parametrize("file", ["pyproject.toml", "new.py"])
def test_changed_and_new_files_are_refused(checkout: Path, file: str) -> None:
    with (checkout / file).open("a", encoding="utf-8") as text:
        text.write("\n")
    with pytest.raises(release.Refused, match=file):
        release.releasable(checkout)
    with pytest.raises(release.Refused, match=file):
        release.prepare(checkout, "0.2.0")


def test_changes_without_a_version_are_refused(checkout: Path) -> None:
    _list_a_change(checkout)
    with pytest.raises(release.Refused, match="Unreleased"):
        release.releasable(checkout)


def test_a_version_without_changes_is_refused(checkout: Path) -> None:
    with pytest.raises(release.Refused, match="nothing is listed under Unreleased"):
        release.prepare(checkout, "0.2.0")
    (checkout / "CHANGELOG.md").write_text("## Unreleased\n\n## 0.1.0\n", "utf-8")
    _commit(checkout)
    with pytest.raises(release.Refused, match=r"no changes for 0\.1\.0"):
        release.releasable(checkout)


def test_the_tag_of_another_version_is_refused(checkout: Path) -> None:
    _git(checkout, "tag", "v0.1.0")
    assert release.releasable(checkout) == "0.1.0"
    _git(checkout, "tag", "v0.2.0")
    with pytest.raises(release.Refused, match=r"v0\.2\.0"):
        release.releasable(checkout)


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "1.0", "v1.0.0", "1.0.0-beta"])
def test_versions_that_are_no_next_version_are_refused(checkout: Path, version: str) -> None:
    _list_a_change(checkout)
    with pytest.raises(release.Refused, match="not a version after"):
        release.prepare(checkout, version)


def test_preparing_gives_the_changes_a_version(checkout: Path) -> None:
    _list_a_change(checkout)
    release.prepare(checkout, "0.10.0")
    assert release.changes(checkout) == {
        "Unreleased": "", "0.10.0": "- Faster.", "0.1.0": "- First version.",
    }  # fmt: skip
    _commit(checkout)
    assert release.releasable(checkout) == "0.10.0"


@pytest.fixture
def files(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Building with small zips and a stand-in for Blender; LEFT_OUT is how many it cannot read."""
    server = tmp_path / "server.py"
    server.write_text(SERVER.replace("LEFT_OUT", "0"), "utf-8")

    class Place:
        """Runs the stand-in."""

        def command(self, *argv: str, **_: object) -> list[str]:
            """Return its command line."""
            assert argv[:-1] == ("blender", "--command", "extension", "server-generate")
            return [sys.executable, str(server), argv[-1]]

    def build(platform: str) -> Path:
        path = tmp_path / f"a-0.1.0-{platform}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("platform", platform)
        return path

    monkeypatch.setattr(blenders, "find", Place)
    monkeypatch.setattr(package, "build", build)
    monkeypatch.setattr(package, "validate", lambda zips: f"{len(zips)} validated")
    return server


def test_a_release_is_zips_checksums_notes_and_an_index(
    files: Path, checkout: Path, tmp_path: Path
) -> None:
    out = tmp_path / "release"
    assert release.build(checkout, out) == "0.1.0"
    zips = {f"a-0.1.0-{platform}.zip" for platform in places.manifest()["platforms"]}
    written = {path.name for path in out.iterdir()}
    assert written == {*zips, "index.json", "SHA256SUMS", "NOTES.md"}
    assert (out / "NOTES.md").read_text("utf-8") == "- First version.\n"
    lines = (out / "SHA256SUMS").read_text("utf-8").splitlines()
    digests = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert digests == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in (*zips, "index.json")
    }


def test_an_index_without_a_zip_is_refused(files: Path, checkout: Path, tmp_path: Path) -> None:
    files.write_text(SERVER.replace("LEFT_OUT", "1"), "utf-8")
    with pytest.raises(release.Refused, match="the index lists"):
        release.build(checkout, tmp_path / "release")


def test_an_index_of_other_bytes_is_refused(files: Path, checkout: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    release.build(checkout, out)
    index = json.loads((out / "index.json").read_text("utf-8"))
    index["data"][0]["archive_hash"] = f"sha256:{'0' * 64}"
    (out / "index.json").write_text(json.dumps(index), "utf-8")
    with pytest.raises(release.Refused, match="the index lists"):
        release.check_index(out)


def test_without_a_blender_there_is_no_release(
    files: Path, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blenders, "find", lambda: None)
    with pytest.raises(release.Refused, match="Blender has to make the index"):
        release.build(checkout, tmp_path / "release")
