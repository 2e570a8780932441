# SPDX-License-Identifier: GPL-3.0-or-later
"""Get the depth model's real weights, and show what the model estimates for the tests' pictures.

`check_weights.py [FILE]` downloads the weights as *Download Depth Model* does, or copies FILE. It
prints their hash, and the CPU time of each picture. If a picture's depth is known, it also prints
how well the estimate fits. It writes a sheet for each picture to `build/check-weights/`. The
feature stays experimental until someone has run this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import environments
import places

INSIDE = "CHECK_WEIGHTS_INSIDE"
"""Set in the environment of the inner process, which has the product's packages."""
SHEETS = places.BUILD / "check-weights"
KNOWN = ("monkey", "toy", "jug", "chair")
LEAST_CORRELATION = 0.7
"""Minimum correlation with the known depth, on plain ground. Far less means that weights or code
are wrong."""


def get_weights(source: Path | None) -> Path:
    """Return the file of the weights: the stored one, a copy of `source`, or a download.

    Print its size and hash. Raises ImageToMeshError if the file is not the right one, or cannot be
    downloaded.
    """
    store = import_module("image_to_mesh.jobs.weights.store")
    table = import_module("image_to_mesh.jobs.weights.table")
    weights = table.DEPTH
    if source is not None:
        store.take_file(source, weights, lambda *_: None, lambda: None)
    elif not store.is_there(weights):
        print(f"Downloading {weights.url}", flush=True)
        fetch = import_module("image_to_mesh.jobs.weights.fetch").fetch
        http = import_module("image_to_mesh.providers._shared.http.client").Http("", {})
        fetch(weights, http, progress=lambda *_: None, check=lambda: None, wait=time.sleep)
    path: Path = store.path_of(weights)
    print(f"{path}\n  {path.stat().st_size:,} bytes, SHA-256 {store.hash_of(path, lambda: None)}")
    return path


def show_known(name: str, ground: str, path: Path) -> bool:
    """Print how well the answer for a known shape fits its depth, and write its sheet.

    Return whether it fits well enough. On busy ground, return True in any case.
    """
    import numpy as np
    from PIL import Image

    known = import_module("unit.known_depth")
    truth = known.load_truth(name)
    with Image.open(known.FOLDER / f"{name}_{ground}.jpg") as image:
        truth.picture[:, :, :3] = np.asarray(image.convert("RGB"), np.float32) / 255.0
    opaque = np.concatenate([truth.picture[:, :, :3], np.ones_like(truth.picture[:, :, 3:])], 2)
    answer, seconds = ask(opaque, path)
    seen = known.raster.upscale(answer, *truth.depth.shape)
    fit = float(np.corrcoef(seen[truth.core], 1.0 / truth.depth[truth.core])[0, 1])
    known.depth._ask = lambda *_: answer
    model = import_module("unit.local_shapes").build(
        truth.picture, shape="body", models=known.MODELS
    )
    mean, median = known.normal_errors(model, truth)
    print(f"  {name:7} {ground:6} {seconds:5.1f} CPU s  correlation {fit:.2f}  "
          f"normals off by {mean:.1f}° ({median:.1f}°)")  # fmt: skip
    write_sheet(f"{name}_{ground}", truth.picture, seen)
    return ground == "busy" or fit >= LEAST_CORRELATION


def ask(picture: Any, path: Path) -> tuple[Any, float]:
    """Return the network's answer for a picture (h, w, 4), and the CPU seconds that it took."""
    depth = import_module("unit.worker_package").load("local.depth")
    started = time.process_time()
    answer = depth.estimate_nearness(depth._opaque(picture), depth._weights(str(path)))
    return answer, time.process_time() - started


def write_sheet(name: str, picture: Any, seen: Any) -> None:
    """Write a PNG with a picture and how near its pixels are, side by side, to SHEETS."""
    import numpy as np
    from PIL import Image

    gray = (seen - seen.min()) / max(float(np.ptp(seen)), 1e-9)
    both = np.concatenate([picture[:, :, :3], np.repeat(gray[:, :, None], 3, axis=2)], axis=1)
    SHEETS.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(both * 255.0, np.uint8)).save(SHEETS / f"{name}.png")


def show_pictures(path: Path) -> None:
    """Print how long the model takes for pictures without a known depth, and write their sheets."""
    import numpy as np
    from PIL import Image

    raster = import_module("unit.worker_package").load("local.shape.raster")
    for file in (places.SAMPLE, *sorted((places.ROOT / "tests/data/subjects").glob("*.jpg"))[::3]):
        with Image.open(file) as image:
            rgb = np.asarray(image.convert("RGB"), np.float32) / 255.0
        picture = np.concatenate([rgb, np.ones((*rgb.shape[:2], 1), np.float32)], axis=2)
        answer, seconds = ask(picture, path)
        print(f"  {file.name:32} {seconds:5.1f} CPU s", flush=True)
        write_sheet(file.stem, picture, raster.upscale(answer, *rgb.shape[:2]))


def main() -> int:
    """Run the checks in the environment of the unit tests; return 1 if one fails, else 0."""
    if INSIDE not in os.environ:
        python = environments.for_unit("3.11")
        importable = [str(places.link_checkout()), str(places.ROOT / "tests")]
        inner = {**os.environ, INSIDE: "1", "PYTHONPATH": os.pathsep.join(importable)}
        command = [str(python), "-B", __file__, *sys.argv[1:]]
        return subprocess.run(command, env=inner, check=False).returncode
    try:
        path = get_weights(Path(sys.argv[1]) if sys.argv[1:] else None)
    except import_module("image_to_mesh.providers").ImageToMeshError as error:
        print(error, file=sys.stderr)
        return 1
    good = [show_known(name, ground, path) for name in KNOWN for ground in ("plain", "busy")]
    show_pictures(path)
    print(f"Sheets: {SHEETS}\n{'good' if all(good) else 'WRONG: the answers do not fit'}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
