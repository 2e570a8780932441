# SPDX-License-Identifier: GPL-3.0-or-later
"""No code names a service, except for the service's own: a new service is one new file.

The names are read from the providers' declarations and from their files of data, so that those of a
new provider count as well.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import package
import places
import pytest

from image_to_mesh.providers import all_providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from image_to_mesh.providers import Provider

OWN = re.compile(r"providers/(?!_shared/|__init__)|presets/|tests/|docs/dev/provider_template/")
"""Matches the code that is for one service each."""
ALLOWED = {
    "providers/_shared/results/find_mesh.py": "says whose forms of answers it reads",
    "tools/tests.py": "has a tier for tests with real servers, in a folder of that name",
}
"""Other files that name a service, and why."""
ORDINARY = frozenset({"custom"})
"""Ids that are words which code has for other things, too: they count as a whole literal only."""
SPECIAL = re.compile(r"[a-z][A-Z]|[A-Z]{4}|[A-Z]/[A-Z]|[A-Za-z]{3}[0-9]")
"""Matches a spelling that only a name has, as in TripoSR, TRELLIS, AI/ML and Hunyuan3D."""


END = "(?![a-z]|(?<=[A-Z])[A-Z])"
"""Matches the end of a name: TripoError has one, FALLBACK does not."""


@dataclass(frozen=True)
class Names:
    """The names of services: in any spelling, in exactly this one, and as a whole literal."""

    words: frozenset[str]
    exact: frozenset[str]
    literals: frozenset[str]

    def pattern(self) -> re.Pattern[str]:
        """Return the pattern that finds each of them."""
        words, exact, literals = (
            "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
            for names in (self.words, self.exact, self.literals)
        )
        return re.compile(
            rf"(?i:(?<![a-z])(?:{words})){END}|\b(?:{exact})\b|[\"'](?:service-)?(?:{literals})[#\"']"
        )


def names_of(providers: Iterable[Provider[Any]], models: Iterable[str] = ()) -> Names:
    """Return the names that these providers declare, and those of models that they use.

    Of a name with a number, the part before it counts as well.
    """
    remote = [provider for provider in providers if provider.is_remote]
    ids = {provider.id for provider in remote}
    services = Counter(name.partition("_")[0] for name in ids)
    words = ids | {name for name, count in services.items() if count > 1}
    words |= {host for provider in remote for host in _company_of(provider)}
    labels = {provider.label for provider in remote}
    special = {word for name in (*labels, *models) for word in name.split() if SPECIAL.search(word)}
    words |= {re.split(r"[0-9.]", word)[0].lower() for word in special}
    return Names(frozenset(words - ORDINARY), frozenset(labels | special), frozenset(ids))


def _company_of(provider: Provider[Any]) -> Iterator[str]:
    """Yield the name before the top-level domain of the service's own address."""
    host = urlsplit(provider.address.default).hostname if provider.address else None
    if host and not provider.self_hosted:
        yield host.split(".")[-2]


def model_names(folder: Path) -> set[str]:
    """Return the names of models in the providers' files of data, where these have a name."""
    read: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
    files = [file for file in folder.glob("_*/*/*") if file.suffix in read]
    data = [read[file.suffix](file.read_text("utf-8")) for file in files]
    tables = [table for table in data if isinstance(table, dict)]
    return {str(table[key]) for table in tables for key in ("name", "title") if key in table}


def found_in(text: str, names: Names) -> list[str]:
    """Return the lines of code that name a service, with their numbers."""
    pattern = names.pattern()
    lines = enumerate(text.splitlines(), 1)
    return [f"{number}: {line.strip()}" for number, line in lines if pattern.search(line)]


@pytest.fixture(scope="module")
def names() -> Names:
    """The names of all services."""
    return names_of(all_providers().values(), model_names(places.ROOT / "providers"))


@pytest.fixture(scope="module")
def naming(names: Names) -> dict[str, list[str]]:
    """The lines that name a service, by file, of all code that is not a service's own."""
    files = [file for file in package.known_files() if file.endswith(".py")]
    others = [file for file in files if not OWN.match(file)]
    found = {file: found_in((places.ROOT / file).read_text("utf-8"), names) for file in others}
    return {file: lines for file, lines in found.items() if lines}


def test_only_the_files_of_a_service_name_it(naming: dict[str, list[str]]) -> None:
    odd = [f"{file}:{line}" for file in naming for line in naming[file] if file not in ALLOWED]
    assert not odd, "\n".join(["Declare it in the provider, or say what it is instead:", *odd])


def test_the_allowed_files_still_name_one(naming: dict[str, list[str]]) -> None:
    assert set(ALLOWED) <= set(naming)


def test_ordinary_words_are_still_ids() -> None:
    assert set(all_providers()) >= ORDINARY


def test_the_names_are_those_of_the_declarations(names: Names) -> None:
    assert names.words >= {"tripo", "tripo_v2", "tripo3d", "aiml", "aimlapi", "gradio", "hunyuan"}
    assert names.exact >= {"Tripo", "Custom Server", "AI/ML", "TripoSR", "TRELLIS", "InstantMesh"}
    assert not names.words & {"built-in", "local", "custom", "server", "magic", "api", "v"}


@pytest.mark.parametrize(
    "line",
    [
        "# as Tripo does",
        'if provider.id == "aiml_magic":',
        '"Look for Hunyuan3D and similar servers"',
        "def read_comfyui(reply: Reply) -> None:",
        "class GradioPanel:",
        "HUNYUAN_PORT = 8081",
        "'custom': 1",
        '"service-custom#settings": ()',
        '"""A Custom Server."""',
        "models such as TripoSR",
        "TRIPO_API_KEY",
        "https://openapi.tripo3d.ai/v3",
    ],
)
def test_a_line_that_names_a_service_is_noticed(line: str, names: Names) -> None:
    assert found_in(f"\n{line}\n", names) == [f"2: {line}"]


@pytest.mark.parametrize(
    "line", ["mesh.has_custom_normals", "# a custom server", "magic = b'glTF'", 'FIRST = "local"']
)
def test_an_ordinary_line_names_no_service(line: str, names: Names) -> None:
    assert found_in(line, names) == []


def test_the_names_of_a_new_provider_count(rehearsal: Provider[Any]) -> None:
    names = names_of(all_providers().values())
    assert {"rehearsal"} <= names.words
    assert found_in("# at Rehearsal", names)
