# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker sees only environment variables on an allow-list, and starts isolated."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import WORKER

from image_to_mesh.jobs.process import environment, find_blender
from image_to_mesh.jobs.process.environment import clean_environment
from image_to_mesh.jobs.process.find_blender import blender_command, module_command
from image_to_mesh.jobs.process.worker_process import WorkerProcess

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SESSION_TOKEN": "t", "DATABASE_URL": "postgres://u:p@h/d",
    "https_proxy": "http://u:p@proxy", "HTTP_PROXY": "http://u:p@proxy", "NPM_CONFIG__AUTH": "x",
    "npm_config_registry": "http://u:p@npm", "PGPASSWORD": "p", "SSH_AUTH_SOCK": "/tmp/agent",
    "GITHUB_PAT": "g", "SNAP_COOKIE": "c", "SNAP_CONTEXT": "c", "LC_MY_PASS": "p", "XDG_KEY": "",
    "PYTHONPATH": "/evil", "PYTHONSTARTUP": "/evil.py", "PYTHONHOME": "/evil", "LD_PRELOAD": "/e",
    "BLENDER_USER_SCRIPTS": "/scripts", "BLENDER_USER_RESOURCES": "/user", "KUBECONFIG": "/k",
    "TRIPO_API_KEY": "t", "DISPLAY": ":0", "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=x",
}  # fmt: skip
NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH",
          "SystemRoot", "USERPROFILE", "LOCALAPPDATA", "ProgramFiles(x86)", "OCIO", "SNAP",
          "BLENDER_SYSTEM_RESOURCES", "DBUS_SESSION_BUS_ADDRESS")  # fmt: skip


def test_variables_that_are_not_listed_are_removed() -> None:
    needed = dict.fromkeys(NEEDED, "x")
    assert clean_environment({**SECRETS, **needed}) == needed


def test_the_worker_sees_only_listed_variables_and_its_own_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    worker = WorkerProcess(WORKER)
    worker.start()
    assert worker._channel is not None
    ready = worker._channel.answers.get(timeout=20.0)
    assert ready is not None
    assert worker._folder is not None
    names = set(ready["ready"]["names"])
    own = {"TMPDIR", "TEMP", "TMP", "BLENDER_USER_RESOURCES"}
    # Python sets this one itself where no language is chosen.
    assert names - own - {"LC_CTYPE"} <= environment.NAMES
    assert own <= names
    worker.kill()


def test_the_worker_starts_without_scripts_add_ons_and_network() -> None:
    command = blender_command("/opt/blender")
    assert command[0] == "/opt/blender"
    assert command[-1] == "--"
    flags = {"--background", "--factory-startup", "--disable-autoexec", "--offline-mode"}
    assert flags <= set(command)
    assert "--python-use-system-env" not in command
    script = command.index("--python")
    assert command[script + 1] == str(find_blender.WORKER)
    # Options that an old Blender does not have follow the script, which never returns.
    assert command.index("--offline-mode") > script > command.index("--disable-autoexec")


def test_the_bpy_module_starts_isolated_and_finds_its_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = SimpleNamespace(submodule_search_locations=[str(Path("/venv/lib/bpy"))])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: found)
    worker = str(find_blender.WORKER)
    place = str(Path("/venv/lib"))
    assert module_command() == (sys.executable, "-I", worker, place)
    assert find_blender.find_blender({}) == module_command()
