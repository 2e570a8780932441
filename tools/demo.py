# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate a mesh with a fresh installation: `demo.py [IMAGE]` writes to build/demo.

It installs the project with pip and runs its command line. The files are <name>.glb, <name>.blend,
and <name>.png, a render.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import environments
import places

OUT = places.BUILD / "demo"


def install() -> Path:
    """Install this checkout in a new environment; return the environment's folder of programs.

    It shares the packages of the cached environment with bpy. Raises Missing or SetupFailed, or
    exits if pip fails.
    """
    release = "5.0.1" if environments.find_python("3.11") else "5.2.3"
    python = environments.for_blender(release)
    own = places.BUILD / "venv"
    _quietly(str(python), "-m", "venv", "--without-pip", "--clear", str(own))
    own_python = environments.python_of(own)
    shared, mine = (_site_packages(interpreter) for interpreter in (python, own_python))
    # A .pth file adds a folder to sys.path, so that bpy is not installed a second time.
    (mine / "shared.pth").write_text(f"{shared}\n", "utf-8")
    _quietly(str(python), "-m", "pip", "--python", str(own_python), "install",
             "--no-deps", "--no-build-isolation", "--disable-pip-version-check",
             str(places.ROOT))  # fmt: skip
    return environments.scripts_of(own)


def _site_packages(python: Path) -> Path:
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([str(python), "-c", question], text=True).strip())


def _quietly(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def generate(programs: Path, picture: Path, out: Path) -> dict[str, Any]:
    """Generate a mesh with the built-in provider; return the command line's JSON answer.

    Exit if the command fails.
    """
    done = subprocess.run(
        [str(programs / "image-to-mesh"), "generate", str(picture), "--provider", "local",
         "--library", str(OUT / "library"), "--output", str(out), "--json"],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.returncode)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    started = time.monotonic()
    picture = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else places.SAMPLE
    if not picture.is_file():
        raise SystemExit(f"No such picture: {picture}")
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        programs = install()
    except (environments.Missing, environments.SetupFailed) as reason:
        raise SystemExit(f"Cannot set up bpy: {reason}") from None
    set_up = time.monotonic()
    mesh, scene, shown = (OUT / f"{picture.stem}{ending}" for ending in (".glb", ".blend", ".png"))
    answer = generate(programs, picture, mesh)
    made = time.monotonic()
    model = OUT / "library" / answer["job"] / "model.blend"
    script = Path(__file__).with_name("demo_scene.py")
    _quietly(str(programs / "python"), str(script), str(model), str(scene), str(shown))
    print(f"Set up in {set_up - started:.1f} s, {answer['faces']} faces made in "
          f"{made - set_up:.1f} s, rendered in {time.monotonic() - made:.1f} s:")  # fmt: skip
    for label, file in (("mesh", mesh), ("Blender file", scene), ("picture of it", shown)):
        print(f"  {label:14} {file}")


if __name__ == "__main__":
    main()
