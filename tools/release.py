# SPDX-License-Identifier: GPL-3.0-or-later
"""Release a version: `release.py VERSION` prepares it, `release.py` builds it.

Preparing writes the version into the manifest, pyproject.toml, and the changelog, which are then
committed. Building requires a commit whose files agree on the version; it writes the zips, their
checksums, the notes, and the index of an extension repository to build/release.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import blenders
import package
import places

OUT = places.BUILD / "release"
UNRELEASED = "Unreleased"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)
_VERSION_LINE = re.compile(r'^version = ".*"$', re.MULTILINE)


class Refused(Exception):
    """The version cannot be released; the message says why."""


def changes(root: Path) -> dict[str, str]:
    """Return the changelog's sections by heading, the newest first."""
    _, *pieces = _HEADING.split((root / "CHANGELOG.md").read_text("utf-8"))
    return {pieces[i].strip(): pieces[i + 1].strip() for i in range(0, len(pieces), 2)}


def _versions(root: Path) -> dict[str, str]:
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text("utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    newest = next((heading for heading in changes(root) if heading != UNRELEASED), "none")
    return {
        "blender_manifest.toml": manifest["version"],
        "pyproject.toml": project["project"]["version"],
        "CHANGELOG.md": newest,
    }


def _git(root: Path, *arguments: str) -> list[str]:
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *arguments]
    return subprocess.check_output(command, text=True).splitlines()


def _refuse_changed_files(root: Path) -> None:
    if changed := _git(root, "status", "--porcelain"):
        raise Refused("\n  ".join(("not everything is committed:", *changed)))


def prepare(root: Path, version: str) -> None:
    """Move the changes under Unreleased to this version, and set it in all files.

    Raises Refused if files are uncommitted, no changes are listed, or the version is not higher
    than the current one.
    """
    _refuse_changed_files(root)
    sections = changes(root)
    if not sections.get(UNRELEASED):
        raise Refused(f"nothing is listed under {UNRELEASED} in CHANGELOG.md")
    current = _versions(root)["blender_manifest.toml"]
    if not VERSION.fullmatch(version) or _numbers(version) <= _numbers(current):
        raise Refused(f"{version} is not a version after {current}, such as 1.2.3")
    for file in ("blender_manifest.toml", "pyproject.toml"):
        _replace(root / file, _VERSION_LINE, f'version = "{version}"')
    heading = f"## {UNRELEASED}\n\n## {version}\n"
    _replace(root / "CHANGELOG.md", re.compile(rf"^## {UNRELEASED}\n", re.MULTILINE), heading)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _replace(path: Path, pattern: re.Pattern[str], text: str) -> None:
    # A function, because backslashes in a replacement string are escapes.
    path.write_text(pattern.sub(lambda _: text, path.read_text("utf-8"), count=1), "utf-8")


def releasable(root: Path) -> str:
    """Return the version of the current commit.

    Raises Refused if files are uncommitted, if files or tags disagree on the version, or if the
    changelog lists unreleased changes or none for the version.
    """
    _refuse_changed_files(root)
    versions = _versions(root)
    version = versions["blender_manifest.toml"]
    if len(set(versions.values())) > 1:
        raise Refused(", ".join(f"{file} says {number}" for file, number in versions.items()))
    sections = changes(root)
    if sections.get(UNRELEASED):
        raise Refused(f"{UNRELEASED} in CHANGELOG.md lists changes: make release VERSION=…")
    if not sections[version]:
        raise Refused(f"CHANGELOG.md lists no changes for {version}")
    # Other tags on the commit do not name versions.
    tags = [tag for tag in _git(root, "tag", "--points-at", "HEAD") if tag.startswith("v")]
    if tags and tags != [f"v{version}"]:
        raise Refused(f"the commit is tagged {' and '.join(tags)}, and its files say {version}")
    return version


def write_index(folder: Path) -> None:
    """Have Blender write the index of a repository with the zips of a folder.

    Raises Refused if there is no Blender, if Blender fails, or if the index lacks a zip.
    """
    place = blenders.find()
    if place is None:
        raise Refused("a Blender has to make the index: set BLENDER, or GUI=1 make test")
    with tempfile.TemporaryDirectory(dir=places.BUILD) as profile:
        command = place.command(
            "blender", "--command", "extension", "server-generate", f"--repo-dir={folder}",
            env={"BLENDER_USER_RESOURCES": profile}, folders=(places.BUILD,),
        )  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"Blender could not make the index: {done.stdout}{done.stderr}")
    check_index(folder)


def check_index(folder: Path) -> None:
    """Raise Refused unless the index lists all zips with their hashes.

    Blender omits zips that it cannot read.
    """
    listed = json.loads((folder / "index.json").read_text("utf-8"))["data"]
    found = {Path(entry["archive_url"]).name: entry["archive_hash"] for entry in listed}
    zips = {path.name: f"sha256:{_digest(path)}" for path in folder.glob("*.zip")}
    if found != zips:
        raise Refused(f"the index lists {sorted(found)}, and there are {sorted(zips)}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of the zips and the index to SHA256SUMS, for `sha256sum --check`."""
    files = [*sorted(folder.glob("*.zip")), folder / "index.json"]
    lines = [f"{_digest(path)}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8")


def build(root: Path, out: Path) -> str:
    """Write all files of a release into `out`, replacing it, and return the version.

    Raises Refused if the commit cannot be released or Blender cannot make the index, and SystemExit
    if Blender finds an error in a zip.
    """
    version = releasable(root)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    zips = [package.build(platform) for platform in places.manifest()["platforms"]]
    print(package.validate(zips))
    for file in zips:
        shutil.copy(file, out)
    write_index(out)
    write_checksums(out)
    (out / "NOTES.md").write_text(f"{changes(root)[version]}\n", "utf-8")
    return version


def main() -> int:
    try:
        if version := "".join(sys.argv[1:2]):
            prepare(places.ROOT, version)
            print(f"Commit this as `release: {version}`, tag it v{version}, then: make release")
        else:
            print(f"{build(places.ROOT, OUT)} is in {OUT.relative_to(places.ROOT)}:")
            print("\n".join(f"  {path.name}" for path in sorted(OUT.iterdir())))
    except Refused as reason:
        print(f"Not released: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
