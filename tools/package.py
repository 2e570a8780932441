# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the installable zips, one per platform, reproducible to the byte.

Each is what `blender --command extension build --split-platforms` would build, without needing
Blender: the files that git tracks, except for the manifest's exclusions, and the wheels. The
manual's rendered pages are added in the folder manual/.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import blenders
import manual
import places
import wheels

if TYPE_CHECKING:
    from collections.abc import Iterable

# The earliest time that a zip can store.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def product_files() -> list[str]:
    """Return the paths of all shipped files, relative to the root; untracked ones are left out."""
    return [file for file in _git("--cached") if is_product(file)]


def is_product(file: str) -> bool:
    """Return whether a file belongs in the zip: no pattern of the manifest excludes its path."""
    return not is_excluded(file, places.manifest()["build"]["paths_exclude_pattern"])


def is_excluded(file: str, patterns: Iterable[str]) -> bool:
    """Return whether a pattern excludes the file.

    Patterns are written as in .gitignore. Only the kinds that the manifest uses are supported.
    """
    path_parts = file.split("/")
    for pattern in patterns:
        name = pattern.strip("/")
        if "/" in name:  # a folder within folders, from the root
            if file.startswith(f"{name}/"):
                return True
            continue
        reach = path_parts[:1] if pattern.startswith("/") else path_parts
        folders = reach if len(path_parts) > len(reach) else reach[:-1]
        if any(fnmatchcase(part, name) for part in (folders if pattern.endswith("/") else reach)):
            return True
    return False


def _git(*arguments: str) -> list[str]:
    # safe.directory: in a container the checkout may belong to another user.
    command = ["git", "-c", "safe.directory=*", "-C", str(places.ROOT), "ls-files", "-z"]
    listed = subprocess.check_output([*command, *arguments], text=True)
    return sorted(file for file in set(listed.split("\0")) if (places.ROOT / file).is_file())


def known_files() -> list[str]:
    """Return all files of the checkout that git tracks, and new ones that it does not ignore."""
    return _git("--cached", "--others", "--exclude-standard")


def build(platform: str) -> Path:
    """Write one platform's zip, with the rendered manual and the wheels, and return its path."""
    manifest = places.manifest()
    out = places.DIST / f"{manifest['id']}-{manifest['version']}-{platform}.zip"
    out.parent.mkdir(parents=True, exist_ok=True)
    # Tests build zips at the same time: each process and thread writes its own file first.
    side = out.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with zipfile.ZipFile(side, "w") as archive:
        _fill(archive, platform)
    side.replace(out)
    return out


def _fill(archive: zipfile.ZipFile, platform: str) -> None:
    bundled = [wheel.file for wheel in wheels.locked_wheels() if wheel.fits(platform)]
    for file in product_files():
        content = (places.ROOT / file).read_bytes()
        if file == "blender_manifest.toml":
            content += _platform_manifest(platform, bundled)
        _add(archive, file, content, zipfile.ZIP_DEFLATED)
    for file in manual.files():
        content = (manual.FOLDER / file).read_bytes()
        _add(archive, f"manual/{file}", content, zipfile.ZIP_DEFLATED)
    kept = wheels.folder()
    for name in bundled:
        content = (kept / name).read_bytes()
        # Wheels are compressed already.
        _add(archive, f"wheels/{name}", content, zipfile.ZIP_STORED)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    # Fixed mode, system, and time: the zip must not depend on the machine that builds it.
    entry.external_attr = 0o100644 << 16
    entry.create_system = 3
    archive.writestr(entry, content, compress_type=method, compresslevel=9)


def _platform_manifest(platform: str, bundled: list[str]) -> bytes:
    """Return the section that Blender's own build adds to the manifest: platform and wheels."""
    listed = json.dumps([f"./wheels/{name}" for name in bundled])
    return (
        "\n\n# BEGIN GENERATED CONTENT.\n# This must not be included in source manifests.\n"
        f'[build.generated]\nplatforms = ["{platform}"]\nwheels = {listed}\n'
        "# END GENERATED CONTENT.\n"
    ).encode()


def validate(zips: Iterable[Path]) -> str:
    """Validate the zips with Blender, if it is installed.

    Return a message for the log that says whether this was done. Raises SystemExit if Blender finds
    an error.
    """
    place = blenders.find()
    if place is None:
        return "not validated: no Blender on this machine (set BLENDER, or GUI=1 make test)"
    with tempfile.TemporaryDirectory(dir=places.BUILD) as profile:
        env = {"BLENDER_USER_RESOURCES": profile}
        for file in zips:
            command = place.command(
                "blender", "--command", "extension", "validate", str(file),
                env=env, folders=(places.BUILD,),
            )  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{file.name}: {done.stdout}{done.stderr}")
    return "validated by Blender"


def main() -> None:
    zips = [build(platform) for platform in places.manifest()["platforms"]]
    for file in zips:
        print(f"{file.relative_to(places.ROOT)}  {file.stat().st_size / 1e6:.1f} MB")
    print(validate(zips))
    shipped = set(product_files())
    if unknown := [file for file in known_files() if is_product(file) and file not in shipped]:
        print(f"Left out, because git does not know them: {', '.join(unknown)}", file=sys.stderr)


if __name__ == "__main__":
    main()
