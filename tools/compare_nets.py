# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the networks in numpy with their authors' code, layer by layer, on random weights.

It needs `torch` and `jkp-depth-anything-v2`, an unchanged copy of the authors' code, in the
environment of PYTHON: `make compare-nets PYTHON=…`. `--write` keeps the authors' answers for
a small image, which the unit tests compare with.
"""

from __future__ import annotations

import sys
import types
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
GOLDENS = ROOT / "tests" / "data" / "nets" / "depth-anything-torch.npz"
LIMIT = 1e-3
"""Largest difference allowed from the authors' code, in standard deviations of each layer."""
LAYERS = (
    *(f"pretrained.blocks.{number}" for number in range(12)),
    *(f"depth_head.scratch.layer{number}_rn" for number in range(1, 5)),
    *(f"depth_head.scratch.refinenet{number}" for number in range(1, 5)),
)
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)

sys.path.insert(0, str(ROOT / "tests"))
numpy_side: Any = import_module("unit.random_depth_weights")


def load_authors_model(weights: dict[str, Any]) -> Any:
    """Return the authors' model with these tensors as its weights.

    Raise RuntimeError unless the model has exactly these tensors.
    """
    torch = import_module("torch")
    # The authors' module for pictures needs both, its network does not.
    stand_in = types.SimpleNamespace(INTER_AREA=None, Compose=None)
    for name in ("cv2", "torchvision", "torchvision.transforms"):
        sys.modules.setdefault(name, stand_in)  # type: ignore[arg-type]
    dpt = import_module("depth_anything_v2.dpt")
    model = dpt.DepthAnythingV2(encoder="vits", features=64, out_channels=[48, 96, 192, 384])
    model.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
    return model.eval()


def ask_authors(model: Any, image: Any) -> dict[str, Any]:
    """Return outputs of the authors' model for an image (h, w, 3), by name.

    They are those of LAYERS, "tokens" (the output of the first step), and "depth" (the result).
    """
    torch = import_module("torch")
    found: dict[str, Any] = {}
    ready = ((image - MEAN) / DEVIATION).transpose(2, 0, 1)[None]

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: found.update({name: output[0].numpy().copy()})

    hooks = [model.get_submodule(name).register_forward_hook(keep(name)) for name in LAYERS]
    with torch.no_grad():
        tensor = torch.from_numpy(np.ascontiguousarray(ready, np.float32))
        found["tokens"] = model.pretrained.prepare_tokens_with_masks(tensor)[0].numpy().copy()
        found["depth"] = model(tensor)[0].numpy()
    for hook in hooks:
        hook.remove()
    return found


def compare(height: int, width: int, model: Any, weights: dict[str, Any]) -> bool:
    """Print the difference of each layer for a random image of this size.

    Return whether the layers are the same and all differences are at most LIMIT.
    """
    expected = ask_authors(model, numpy_side.random_image(height, width))
    found = numpy_side.run_network(height, width, weights)
    print(f"{height} × {width}")
    good = bool(found.keys() == expected.keys())
    for name in found:
        apart = numpy_side.difference(found[name], expected[name])
        good = good and bool(apart <= LIMIT)
        print(f"  {name:34} {apart:9.2e}  (deviation {np.std(expected[name]):.3f})")
    return good


def write_answers(model: Any) -> None:
    """Write a sample of the outputs of the authors' layers for a small image to GOLDENS."""
    answers = ask_authors(model, numpy_side.random_image(*numpy_side.SIZE))
    kept = {name: numpy_side.sample(layer) for name, layer in answers.items()}
    np.savez_compressed(GOLDENS, **kept)
    print(f"{GOLDENS}: {GOLDENS.stat().st_size:,} bytes")


def main() -> int:
    weights = numpy_side.random_weights()
    model = load_authors_model(weights)
    if "--write" in sys.argv[1:]:
        write_answers(model)
    sizes = (numpy_side.SIZE, (518, 518), (392, 672))
    good = [compare(height, width, model, weights) for height, width in sizes]
    print(f"{'equal' if all(good) else 'DIFFERENT'} within {LIMIT:g} standard deviations")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
