# SPDX-License-Identifier: GPL-3.0-or-later
"""Provide a Blender with a window for tests: this machine's own, or Debian's in a cached folder.

`blenders.py [SUITE]` builds the folder, which is called the sandbox. `blenders.py SUITE COMMAND…`
runs a command in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import places
import system

# Debian's releases, by what they are here for: Blender 4.3 on Python 3.13, 5.2 on 3.14.
SUITES = {"trixie": (), "sid": ("python3-cattr",)}
# numpy comes with Blender's own builds; Debian's only recommends it.
PACKAGES = (
    "blender", "imagemagick", "libegl1", "libgl1-mesa-dri", "python3-numpy", "xauth", "xclip",
    "xdotool", "xvfb",
)  # fmt: skip

# In its own mount and process namespace: when it ends, its mounts and processes end, too.
_ENTER = """
set -e
folder=$1; shift
mount -t proc proc "$folder/proc"
mount --rbind /sys "$folder/sys"
mount --rbind /dev "$folder/dev"
mount -t tmpfs tmpfs "$folder/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$folder$1"
    mount --bind "$1" "$folder$1"
    shift
done
shift
exec chroot "$folder" "$@"
"""
_NAMESPACE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
_FASTER = {
    "dpkg/dpkg.cfg.d/99-faster": "force-unsafe-io\npath-exclude=/usr/share/doc/*\n"
    "path-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n"
    # Blender's own languages: their list, and German, which the add-on speaks too.
    "path-include=/usr/share/locale/languages\n"
    "path-include=/usr/share/locale/de/LC_MESSAGES/blender.mo\n",
    "apt/apt.conf.d/99-faster": 'Acquire::Languages "none";\nAPT::Install-Recommends "0";\n',
}


class Place(Protocol):
    """A machine that runs Blender: this one, or a sandbox."""

    def command(self, *argv: str, env: dict[str, str], folders: tuple[Path, ...]) -> list[str]:
        """Return the command line that runs `argv` in this place with these environment variables.

        `folders` are available in it under the same paths as on this machine.
        """


class Host:
    """This machine, with its installed Blender."""

    def __init__(self, blender: str) -> None:
        self.blender = blender

    def command(self, *argv: str, env: dict[str, str], folders: tuple[Path, ...]) -> list[str]:
        """Return the command line that runs `argv` here; "blender" stands for the installed one."""
        del folders
        program = self.blender if argv[0] == "blender" else argv[0]
        return ["env", *(f"{key}={value}" for key, value in env.items()), program, *argv[1:]]


class Sandbox:
    """A Debian system in a folder, entered by chroot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *argv: str, env: dict[str, str], folders: tuple[Path, ...]) -> list[str]:
        """Return the command line that mounts `folders` and runs `argv` inside."""
        clean = ["env", "-i", "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "LANG=C.UTF-8", "HOME=/root"]
        clean += [f"{key}={value}" for key, value in env.items()]
        return [*_NAMESPACE, "sh", "-c", _ENTER, "sandbox", str(self.folder),
                *map(str, folders), "--", *clean, *argv]  # fmt: skip


def why_no_sandbox() -> str | None:
    """Return why this machine cannot have a sandbox; None if it can."""
    if not places.is_root():
        return "a sandbox needs root"
    if not shutil.which("apt-get"):
        return "a sandbox needs Debian's apt-get"
    # Some containers forbid new namespaces even to root.
    probe = subprocess.run([*_NAMESPACE, "true"], capture_output=True, text=True, check=False)
    return probe.stderr.strip() or None if probe.returncode else None


def _name(suite: str) -> str:
    mark = places.fingerprint(*PACKAGES, *SUITES[suite], *_FASTER.values())
    return f"sandbox-{suite}-{mark}"


def find_sandbox(suite: str = "trixie") -> Sandbox | None:
    """Return the sandbox if it has been built, else None."""
    folder = places.cache() / _name(suite)
    return Sandbox(folder) if (folder / ".whole").exists() else None


def build(suite: str = "trixie") -> Sandbox:
    """Return the sandbox; build it first if needed, which takes minutes and about 2 GB.

    Raises CalledProcessError if debootstrap or apt-get fails.
    """
    return Sandbox(places.made_once(_name(suite), lambda folder: _build(suite, folder)))


def on_host() -> Host | None:
    """Return this machine's Blender, from the variable BLENDER or on the PATH, or None."""
    found = shutil.which(os.environ.get("BLENDER") or "blender")
    return Host(found) if found else None


def find() -> Place | None:
    """Return an installed Blender, else a built sandbox, else None.

    It is for commands that need no window.
    """
    return on_host() or next(filter(None, map(find_sandbox, SUITES)), None)


def _build(suite: str, folder: Path) -> None:
    print(f"Building Debian {suite} with Blender in a folder", file=sys.stderr, flush=True)
    with (places.cache() / f"sandbox-{suite}.log").open("w") as log:
        with places.hold_lock("system"):  # two suites may be built side by side
            if not shutil.which("debootstrap"):
                system.install("debootstrap")
        _run_logged(
            log.fileno(),
            [*_NAMESPACE, "--mount-proc", "debootstrap", "--variant=minbase",
             "--include=ca-certificates", suite, str(folder), *_mirror()],
        )  # fmt: skip
        for file, text in _FASTER.items():
            (folder / "etc" / file).write_text(text, "utf-8")
        _take_over_settings(folder)
        inside = Sandbox(folder)
        env = {"DEBIAN_FRONTEND": "noninteractive", **_proxies()}
        for arguments in (["update"], ["install", "--yes", *PACKAGES, *SUITES[suite]], ["clean"]):
            _run_logged(log.fileno(), inside.command("apt-get", *arguments, env=env, folders=()))


def _run_logged(log: int, command: list[str]) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)


def _mirror() -> list[str]:
    """Return the Debian mirror that this machine's apt uses; empty for debootstrap's default."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [uri for uri in listed.stdout.split() if uri.rstrip("/").endswith("/debian")][:1]


def _take_over_settings(folder: Path) -> None:
    """Copy this machine's apt settings and certificates, so that the sandbox reaches the mirror."""
    dump = subprocess.check_output(["apt-config", "dump"], text=True)
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-")
    lines = [line for line in dump.splitlines() if line.startswith(wanted)]
    (folder / "etc/apt/apt.conf.d/98-machine").write_text("\n".join(lines) + "\n", "utf-8")
    certificates = Path("etc/ssl/certs/ca-certificates.crt")
    if Path("/", certificates).exists():
        shutil.copyfile(Path("/", certificates), folder / certificates)


def _proxies() -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "no_proxy")
    return {name: os.environ[name] for name in names if name in os.environ}


def main() -> int:
    suite, command = (sys.argv[1:2] or ["trixie"])[0], sys.argv[2:]
    if missing := why_no_sandbox():
        print(missing, file=sys.stderr)
        return 1
    sandbox = build(suite)
    if not command:
        print(sandbox.folder)
        return 0
    places.BUILD.mkdir(exist_ok=True)
    return subprocess.call(sandbox.command(*command, env={}, folders=(places.BUILD,)))


if __name__ == "__main__":
    sys.exit(main())
