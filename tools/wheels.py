# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheels that are shipped: locked by hash in wheels.lock, fetched by pip, kept in the cache.

`wheels.py` fetches them; `wheels.py --refresh` locks the newest versions that fit together and
lists them in the manifest. A line of the lock is what `sha256sum` writes: a hash and a file name.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import places

LOCK = places.ROOT / "wheels.lock"
ASKED_FOR = ("annotated-types", "filelock", "pydantic", "requests", "send2trash")
# All packages are shipped as pure wheels except pydantic-core, which has none.
COMPILED = "pydantic-core"

# pip's platform tags for each platform of Blender.
TAGS: dict[str, tuple[str, ...]] = {
    "linux-x64": ("manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x64": ("macosx_10_12_x86_64",),
}
# Blender up to 5.0 runs Python 3.11, from 5.1 on 3.13; Debian's own builds follow Debian.
PYTHONS: dict[str, tuple[str, ...]] = {
    platform: ("3.11", "3.13", "3.14") if platform == "linux-x64" else ("3.11", "3.13")
    for platform in TAGS
}


class Wheel(NamedTuple):
    """A wheel that the lock lists: its hash and its file name."""

    sha256: str
    file: str

    @property
    def name(self) -> str:
        """The project's normalized name."""
        return self.file.split("-")[0].replace("_", "-").lower()

    @property
    def version(self) -> str:
        """The project's version."""
        return self.file.split("-")[1]

    def fits(self, platform: str) -> bool:
        """Return whether the wheel can be installed in Blender on this platform."""
        tag = self.file.removesuffix(".whl").split("-")[-1]
        return tag == "any" or any(own in tag.split(".") for own in TAGS[platform])


def locked_wheels() -> list[Wheel]:
    """Return the wheels that the lock lists."""
    lines = LOCK.read_text("utf-8").splitlines()
    return [Wheel(*line.split("  ")) for line in lines if not line.startswith("#")]


def pins() -> list[str]:
    """Return the shipped packages as requirements, so that tests run with the same versions."""
    return sorted({f"{wheel.name}=={wheel.version}" for wheel in locked_wheels()})


def folder() -> Path:
    """Return the folder with every locked wheel; fetch those that are missing.

    Raises CalledProcessError if pip fails. Exit if pip does not fetch a wheel.
    """
    kept = places.cache() / "wheels"
    with places.hold_lock("wheels"):
        kept.mkdir(exist_ok=True)
        absent = [wheel for wheel in locked_wheels() if not is_whole(kept, wheel)]
        if absent:
            _fetch(absent, kept)
    return kept


def is_whole(folder: Path, wheel: Wheel) -> bool:
    """Return whether a folder has the wheel, with the right hash."""
    file = folder / wheel.file
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == wheel.sha256


def _fetch(absent: list[Wheel], kept: Path) -> None:
    print(f"Fetching {len(absent)} wheels", file=sys.stderr, flush=True)
    wanted = [ask for ask in asks() if any(_is_for(wheel, ask) for wheel in absent)]
    with tempfile.TemporaryDirectory(dir=kept.parent) as side:
        # Side by side, since pip mostly waits for the network.
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(lambda ask: _download(ask, Path(side), _hashed_requirements(ask)), wanted)
            )
        for wheel in absent:
            if not is_whole(Path(side), wheel):
                raise SystemExit(f"pip did not bring {wheel.file}")
            Path(side, wheel.file).replace(kept / wheel.file)


class Ask(NamedTuple):
    """One run of pip: for the compiled wheel of a platform and Python, or for all pure wheels.

    For all pure wheels, `platform` is None.
    """

    platform: str | None
    python: str


def asks() -> list[Ask]:
    """Return the runs of pip that fetch all wheels."""
    compiled = [Ask(platform, python) for platform in TAGS for python in PYTHONS[platform]]
    return [Ask(None, "3.11"), *compiled]


def _is_for(wheel: Wheel, ask: Ask) -> bool:
    if ask.platform is None:
        return wheel.name != COMPILED
    tag = f"-cp{ask.python.replace('.', '')}-"
    return wheel.name == COMPILED and tag in wheel.file and wheel.fits(ask.platform)


def _hashed_requirements(ask: Ask) -> list[str]:
    return [
        f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}"
        for wheel in locked_wheels()
        if _is_for(wheel, ask)
    ]


def _download(ask: Ask, side: Path, requirements: list[str]) -> None:
    tags = ("any",) if ask.platform is None else TAGS[ask.platform]
    listed = side / f"{ask.platform}-{ask.python}.txt"
    listed.write_text("\n".join(requirements), "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--disable-pip-version-check", "--only-binary", ":all:",
               "--implementation", "cp", "--python-version", ask.python,
               *(f"--platform={tag}" for tag in tags),
               "--dest", str(side), "--requirement", str(listed)]  # fmt: skip
    if "--hash" in requirements[0]:
        command.append("--require-hashes")
    subprocess.run(command, check=True)


def refresh() -> None:
    """Lock the newest versions that fit together, and list them in the manifest."""
    with tempfile.TemporaryDirectory() as side:
        resolved = _resolve(Path(side))
        for ask in asks():
            mine = [pin for pin in resolved if pin.startswith(COMPILED) == bool(ask.platform)]
            _download(ask, Path(side), mine)
        files = sorted(Path(side).glob("*.whl"))
        lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in files]
    LOCK.write_text("\n".join(lines) + "\n", "utf-8")
    _list_in_manifest([file.name for file in files])


def _resolve(side: Path) -> list[str]:
    """Return the newest versions that fit together as requirements: `name==version`.

    They are those that pip resolves for the oldest Python.
    """
    report = subprocess.check_output(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
         "--disable-pip-version-check", "--only-binary", ":all:", "--python-version", "3.11",
         "--target", str(side), "--report", "-", *ASKED_FOR], text=True)  # fmt: skip
    found = re.findall(
        r'"metadata":\s*\{.*?"name":\s*"(.*?)",\s*"version":\s*"(.*?)"', report, re.S
    )
    return sorted(f"{name.replace('_', '-').lower()}=={version}" for name, version in found)


def _list_in_manifest(files: list[str]) -> None:
    file = places.ROOT / "blender_manifest.toml"
    rows = "".join(f'  "./wheels/{name}",\n' for name in files)
    text = re.sub(r"^wheels = \[\n.*?^\]", f"wheels = [\n{rows}]", file.read_text("utf-8"),
                  flags=re.S | re.M)  # fmt: skip
    file.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refresh", action="store_true", help="lock the newest versions")
    if parser.parse_args().refresh:
        refresh()
    print(folder())


if __name__ == "__main__":
    main()
