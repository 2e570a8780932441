# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the project's addresses to the files that need them. Run it after changing the setting.

The setting is `[tool.image-to-mesh.addresses]` in pyproject.toml. An empty address is left out
everywhere. The address of the hosted manual goes into state/manual.py, because an add-on has no
pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAMES = ("website", "repository", "documentation")
_LABELS = dict(zip(NAMES, ("Homepage", "Repository", "Documentation"), strict=True))
_URLS = re.compile(r'\[project\.urls\]\n(?:\w+ = ".*"\n)*\n')
_WEBSITE = re.compile(r'^website = ".*"\n', re.MULTILINE)
_MANUAL = re.compile(r'^ADDRESS = ".*"$', re.MULTILINE)


def read(pyproject: str) -> dict[str, str]:
    """Return the addresses that are set, by name.

    Raises ValueError for a missing or unknown name, or for an address that is not https.
    """
    table = tomllib.loads(pyproject)["tool"]["image-to-mesh"]["addresses"]
    if set(table) != set(NAMES):
        raise ValueError(f"the addresses are {', '.join(NAMES)}")
    for name, address in table.items():
        if address and not re.fullmatch(r"https://[^\s\"\\]+", address):
            raise ValueError(f"{name} is not an https URL: {address}")
    return {name: table[name] for name in NAMES if table[name]}


def in_pyproject(text: str, addresses: Mapping[str, str]) -> str:
    """Return the text of pyproject.toml with the addresses as the project's URLs."""
    lines = "".join(f'{_LABELS[name]} = "{address}"\n' for name, address in addresses.items())
    table = f"[project.urls]\n{lines}\n" if addresses else ""
    return _URLS.sub("", text).replace("[project.scripts]\n", f"{table}[project.scripts]\n", 1)


def in_manifest(text: str, addresses: Mapping[str, str]) -> str:
    """Return the text of the manifest with one address: the website's, else the repository's.

    If neither is set, the text has no address.
    """
    website = addresses.get("website") or addresses.get("repository")
    line = f'website = "{website}"\n' if website else ""
    return _WEBSITE.sub("", text).replace('type = "add-on"\n', f'{line}type = "add-on"\n', 1)


def in_manual(text: str, addresses: Mapping[str, str]) -> str:
    """Return the text of state/manual.py with the address of the hosted manual.

    The address ends in a slash. It is "" if it is not set.
    """
    address = addresses.get("documentation", "")
    folder = f"{address.rstrip('/')}/" if address else ""
    return _MANUAL.sub(lambda _: f'ADDRESS = "{folder}"', text, count=1)


FILES: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "pyproject.toml": in_pyproject,
    "blender_manifest.toml": in_manifest,
    "state/manual.py": in_manual,
}


def main() -> None:
    addresses = read((places.ROOT / "pyproject.toml").read_text("utf-8"))
    for file, write in FILES.items():
        path = places.ROOT / file
        path.write_text(write(path.read_text("utf-8"), addresses), "utf-8")
    print(", ".join(addresses) or "No address is set")


if __name__ == "__main__":
    main()
