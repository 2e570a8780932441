# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a new provider: `new_provider.py ID` copies the template's files into the checkout.

They are `providers/ID.py`, its tests, its fake, and its page in the manual. They work unchanged,
for a service that does not exist; `docs/dev/adding-a-provider.md` says what to change.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import places

TEMPLATE = places.ROOT / "docs" / "dev" / "provider_template"
NAME = "acme"
ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def write_provider(name: str, root: Path = places.ROOT) -> list[Path]:
    """Write the template's files for a provider called `name`; return their paths.

    Raises ValueError for an invalid name, FileExistsError if one of the files exists already.
    """
    if not ID.fullmatch(name):
        raise ValueError(
            f"{name!r} is not an id: lower-case letters, digits and single underscores"
        )
    spellings = {NAME: name, NAME.upper(): name.upper(), NAME.title(): _class_name(name)}
    files = {
        root / _rename(file.relative_to(TEMPLATE).as_posix(), spellings): file
        for file in sorted(TEMPLATE.rglob("*"))
        if file.is_file() and file.suffix in (".py", ".md")
    }
    if taken := [path for path in files if path.exists()]:
        raise FileExistsError(f"{taken[0]} exists already")
    for path, source in files.items():
        path.write_text(_rename(source.read_text("utf-8"), spellings), "utf-8")
    return list(files)


def write_example(root: Path) -> list[Path]:
    """Fill `root` with links to the checkout's files, and add the template's provider.

    Anything that was in `root` is deleted. Return the paths of the provider's files.
    """
    shutil.rmtree(root, ignore_errors=True)
    folders = {path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_dir()}
    for folder in (Path(), *sorted(folders)):
        (root / folder).mkdir(parents=True)
        for path in (places.ROOT / folder).iterdir():
            if folder / path.name not in folders and path.name not in (".git", "build"):
                (root / folder / path.name).symlink_to(path)
    return write_provider(NAME, root)


def _class_name(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


def _rename(text: str, spellings: dict[str, str]) -> str:
    return re.sub("|".join(spellings), lambda match: spellings[match[0]], text)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        written = write_provider(sys.argv[1])
    except (ValueError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(str(path.relative_to(places.ROOT)) for path in written))
    print("Next: link the page from docs/services.md and docs/index.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
