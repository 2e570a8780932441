# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights that can be downloaded: what they are, and from where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights. `path` is its path in the repository at `page`, and `size` is in bytes.

    `sha256` is in lower case. If it is None, the hash that the host states for this revision is
    used, and kept beside the file.
    """

    name: str
    title: str
    size: int
    sha256: str | None
    license: str
    page: str
    revision: str
    path: str

    @property
    def url(self) -> str:
        """The URL of the file at this revision."""
        return f"{self.page}/resolve/{self.revision}/{self.path}"

    @property
    def file_name(self) -> str:
        """The name of the file on this computer."""
        return f"{self.name}.safetensors"

    @property
    def megabytes(self) -> int:
        """The size in MB (millions of bytes), rounded."""
        return round(self.size / 1e6)


def find_weights(name: str) -> Weights:
    """Return the weights called `name`. Raises KeyError if they are not in the table."""
    return _TABLE[name]


DEPTH = Weights(
    name="depth-anything-v2-small",
    title="Depth Anything V2 Small",
    size=99_173_660,
    # Until `make check-weights` has run once, the hash that the host states counts.
    sha256=None,
    license="Apache-2.0",
    page="https://huggingface.co/depth-anything/Depth-Anything-V2-Small-hf",
    revision="5426e4f0f36572d16453bbda7a8389317b1bef99",
    path="model.safetensors",
)
"""The revision and the size are those that several independent projects state.

The size is also that of a file with exactly the network's tensors
(`tests/unit/worker/nets/test_depth_anything.py`).
"""

_TABLE = {DEPTH.name: DEPTH}
