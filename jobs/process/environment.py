# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the worker: only what Blender needs to start.

The worker parses untrusted files, so it gets only the variables in `NAMES`, which were reviewed. A
list of forbidden names could never be complete: keys, proxies with passwords, database URLs, and
tokens of build servers have many names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_SYSTEM = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "TZ", "LD_LIBRARY_PATH", "OMP_NUM_THREADS",
    "NUMPY_MADVISE_HUGEPAGE", "LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE",
    "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
})  # fmt: skip
_WINDOWS = frozenset({
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "USERNAME", "USERPROFILE",
    "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE",
    "PUBLIC", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432", "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE", "PROCESSOR_IDENTIFIER",
})  # fmt: skip
_MACOS = frozenset({"__CF_USER_TEXT_ENCODING", "DYLD_FALLBACK_LIBRARY_PATH"})
# Flatpak requests its sandbox on the session bus. Snap's cookie is missing because it is a secret.
_LINUX = frozenset({
    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS",
    "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "FLATPAK_ID", "SNAP", "SNAP_ARCH", "SNAP_NAME",
    "SNAP_INSTANCE_NAME", "SNAP_REVISION", "SNAP_LIBRARY_PATH", "SNAP_COMMON", "SNAP_DATA",
    "SNAP_USER_COMMON", "SNAP_USER_DATA", "SNAP_REAL_HOME",
})  # fmt: skip
# Where Blender finds its own files and its color configuration. BLENDER_USER_* are left out: they
# name folders with scripts that it would run.
_BLENDER = frozenset({
    "BLENDER_SYSTEM_RESOURCES", "BLENDER_SYSTEM_SCRIPTS", "BLENDER_SYSTEM_DATAFILES",
    "BLENDER_SYSTEM_PYTHON", "OCIO", "BLENDER_OCIO",
})  # fmt: skip
NAMES = _SYSTEM | _WINDOWS | _MACOS | _LINUX | _BLENDER


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that the worker may see."""
    return {name: value for name, value in environment.items() if _is_needed(name)}


def _is_needed(name: str) -> bool:
    return name.upper() in NAMES  # guard: worker-environment-is-a-list


def environment_in(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the worker's variables; `folder` is for temporary files and Blender's user files."""
    own = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "BLENDER_USER_RESOURCES"), str(folder))
    return {**clean_environment(environment), **own}
