# SPDX-License-Identifier: GPL-3.0-or-later
"""Another add-on's older library, loaded first: one sentence that names it, never a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import annotated_types
import pytest
from fakes import FAKES, WORKER
from fakes.running import Orders
from fakes.service import KEY, Service

from image_to_mesh.jobs import Library, State
from image_to_mesh.providers import Option, Settings, settings_of
from image_to_mesh.providers._shared import bundled_modules
from image_to_mesh.providers._shared.bounds import Interval

ADDON = "/home/me/.config/blender/5.0/scripts/addons/other_tool/libs"
EXTENSION = "/home/me/.config/blender/5.0/extensions/user_default/other_ext/vendor"
OLD = {
    "typing_extensions": "from typing import *\n",
    "annotated_types": "__version__ = '0.1'\n",
    "pydantic": "VERSION = '1.10.2'\nclass BaseModel: ...\n",
    "pydantic_core": "__version__ = '2.1.0'\nclass ValidationError(Exception): ...\n",
    "typing_inspection": "",
    "requests": "__version__ = '2.19.0'\nclass Session: ...\n",
    "urllib3": "__version__ = '1.24.1'\nraise RuntimeError('made for Python 2')\n",
    "filelock": "__version__ = '3.0.12'\nclass FileLock: ...\nSoftFileLock = FileLock\n"
    "class Timeout(Exception): ...\n",
}
DRIVER = """
import sys, types
for name, file in {loaded!r}:
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
from image_to_mesh import providers
from image_to_mesh.cli import entry
providers.__path__.append({services!r})
entry.find_blender = lambda environment: {worker!r}
sys.exit(entry.main(sys.argv[1:]))
"""


class Shadowed:
    """Runs the command line with other modules earlier on the path."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.service = service

    def __call__(
        self, *words: str, path: Path | None = None, loaded: tuple[tuple[str, str], ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        code = DRIVER.format(loaded=loaded, services=str(FAKES / "services"), worker=WORKER)
        inherited = os.environ["PYTHONPATH"]
        paths = os.pathsep.join(filter(None, (str(path or ""), inherited)))
        done = subprocess.run(
            [sys.executable, "-c", code, *words, "--library", str(self.folder / "library")],
            capture_output=True, text=True, timeout=60, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return done


@pytest.fixture
def shadowed(
    tmp_path: Path, png: bytes, service: Service, monkeypatch: pytest.MonkeyPatch
) -> Shadowed:
    """A command line in a folder with a picture, and the fake service's key."""
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    (tmp_path / "cup.png").write_bytes(png)
    return Shadowed(tmp_path, service)


@pytest.mark.parametrize("name", OLD)
def test_an_old_module_on_the_path_is_named_with_its_file(shadowed: Shadowed, name: str) -> None:
    place = shadowed.folder / "addons" / "old_tool" / name
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(OLD[name])
    done = shadowed("generate", "cup.png", "--provider", "rehearsal", "--json", path=place.parent)
    said = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, said["error"]["kind"]) == (2, "wrong_module")
    assert f"The add-on “old_tool” loaded an incompatible {name} " in said["error"]["message"]
    assert str(place / "__init__.py") in said["error"]["message"]
    assert said["error"]["hint"] == "Update or disable “old_tool”, then restart Blender."
    assert not shadowed.service.submits, "an order was sent"


@pytest.mark.parametrize("name", OLD)
def test_an_old_module_that_is_already_loaded_is_named(shadowed: Shadowed, name: str) -> None:
    loaded = ((name, f"{EXTENSION}/{name}/__init__.py"),)
    done = shadowed("generate", "cup.png", "--provider", "rehearsal", "--json", loaded=loaded)
    said = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, said["error"]["kind"]) == (2, "wrong_module")
    assert f"The add-on “other_ext” loaded an incompatible {name} " in said["error"]["message"]
    assert not shadowed.service.submits, "an order was sent"


@pytest.mark.parametrize(
    "words", [["jobs", "--json"], ["resume", "--json"], ["batch", "cup.png", "--json"]]
)
def test_every_command_reports_an_old_module_in_one_sentence(
    shadowed: Shadowed, orders: Orders, words: list[str]
) -> None:
    assert orders.end().state is State.READY
    os.rename(orders.library / orders.session.views()[0].job, shadowed.folder / "job")  # noqa: PTH104
    (shadowed.folder / "library").mkdir()
    kept = json.loads((shadowed.folder / "job" / "job.json").read_text())
    (shadowed.folder / "job").rename(shadowed.folder / "library" / kept["id"])
    loaded = (("pydantic", f"{ADDON}/pydantic/__init__.py"),)
    done = shadowed(*words, loaded=loaded)
    assert "other_tool" in done.stderr + done.stdout
    assert isinstance(json.loads(done.stdout.splitlines()[-1]), dict)


def test_help_and_the_list_of_providers_need_no_bundled_module(shadowed: Shadowed) -> None:
    loaded = tuple((name, f"{ADDON}/{name}/__init__.py") for name in OLD)
    code = DRIVER.format(loaded=loaded, services=str(FAKES / "services"), worker=WORKER)
    for words, said in ((["--help"], "generate"), (["providers"], "TRIPO")):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert said.lower() in done.stdout.lower()


def test_a_job_reports_an_old_module_before_anything_is_sent(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old() -> ModuleType:
        module = ModuleType("requests")
        module.__file__ = f"{ADDON}/requests/__init__.py"
        module.__dict__["__version__"] = "2.3"
        return module

    monkeypatch.setitem(sys.modules, "requests", old())
    view = orders.end()
    assert view.failure is not None
    assert view.failure.kind == "wrong_module"
    assert "add-on “other_tool”" in view.failure.message
    assert "it is version 2.3, but 2.31 or newer is required" in view.failure.message
    assert not orders.service.requests, "a request was sent"
    assert Library(orders.library).jobs() == []


class Bounded(Settings):
    """A setting with a range."""

    count: Annotated[int, Interval(ge=1, le=3), Option("Count", "Between one and three")] = 2


def test_ranges_bound_settings_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "annotated_types", None)
    [setting] = settings_of(Bounded)
    assert (setting.minimum, setting.maximum) == (1, 3)


def test_pydantic_understands_our_ranges_by_the_library_s_protocol() -> None:
    assert isinstance(Interval(ge=1), annotated_types.GroupedMetadata)
    assert list(Interval(ge=1, le=3)) == list(annotated_types.Interval(ge=1, le=3))
    assert list(Interval(le=3)) == list(annotated_types.Interval(le=3))


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/b/scripts/addons/tool/x/pydantic/__init__.py", "tool"),
        (r"C:\b\scripts\addons\tool\pydantic\__init__.py", "tool"),
        ("/b/extensions/blender_org/tool/pydantic/__init__.py", "tool"),
        ("/b/extensions/.local/lib/python3.11/site-packages/pydantic/__init__.py", None),
        ("/usr/lib/python3/dist-packages/pydantic/__init__.py", None),
    ],
)
def test_the_add_on_that_owns_a_module_is_found_by_its_path(file: str, owner: str | None) -> None:
    match = re.search(bundled_modules._PLACE, file)
    assert (match and (match[1] or match[2])) == owner


def test_a_missing_module_is_named_with_what_to_do() -> None:
    missing = ModuleNotFoundError("No module named 'nowhere'", name="nowhere")
    assert str(bundled_modules.wrong_module(missing)) == (
        "The Python module nowhere is missing: No module named 'nowhere'. Reinstall Image to Mesh."
    )
