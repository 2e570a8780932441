# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on inside `bpy`, enabled as Blender enables an extension; each test starts afresh."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import places

# Blender reads this once, when it starts: a profile of its own, with the checkout as extension.
places.BUILD.mkdir(exist_ok=True)
PROFILE = Path(tempfile.mkdtemp(prefix="profile-", dir=places.BUILD))
os.environ["BLENDER_USER_RESOURCES"] = str(PROFILE)
_INSTALLED = PROFILE / "extensions" / "user_default" / "image_to_mesh"
_INSTALLED.parent.mkdir(parents=True)
_INSTALLED.symlink_to(places.ROOT, target_is_directory=True)

import bpy  # noqa: E402
import pytest  # noqa: E402

# isort: split
import addon_utils  # noqa: E402  # can be found once bpy is there
from blender.addon_modules import ADDON, addon_module  # noqa: E402
from blender.texts import Translations  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_status: list[int] = []


def pytest_report_header() -> str:
    return f"bpy {bpy.app.version_string}"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    _status.append(int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End without the C++ destructors: bpy 4.5's wait forever for a thread of their own."""
    shutil.rmtree(PROFILE, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_status[-1] if _status else 1)


@pytest.fixture(autouse=True)
def fresh_file() -> None:
    """Open the factory's file with its cube, camera and light."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")


@pytest.fixture
def addon(fresh_file: None) -> Iterator[ModuleType]:
    """Enable the add-on with its preferences untouched; disable it after the test."""
    enabled = addon_utils.enable(ADDON, default_set=True)
    assert enabled is not None, f"{ADDON} cannot be enabled: see the output"
    yield sys.modules[ADDON]
    addon_utils.disable(ADDON, default_set=True)


@pytest.fixture
def worker_module(addon: ModuleType) -> Callable[[str], ModuleType]:
    """Return a function that imports a module of the worker's by its name within `worker`."""
    return lambda name: addon_module(f"worker.{name}")


@pytest.fixture
def preferences(addon: ModuleType) -> bpy.types.AddonPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[addon.__name__].preferences


@pytest.fixture
def spoken(addon: ModuleType) -> Iterator[Translations]:
    """Blender's translations in German, with the add-on's texts."""
    translate = addon_module("i18n.translate")
    translations = Translations("de_DE")
    fake = SimpleNamespace(app=SimpleNamespace(translations=translations))
    with pytest.MonkeyPatch.context() as patch:  # before the add-on is disabled in the real one
        patch.setattr(translate, "bpy", fake)
        translate._load()
        yield translations
