# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the Python package: this folder is `image_to_mesh`, and its folders are in it.

They are found by their `__init__.py`, and the data of a provider in the folders beside it: a new
provider is entered in no list. All else is in pyproject.toml.
"""

from setuptools import find_packages, setup

PACKAGES = ["image_to_mesh", *(f"image_to_mesh.{name}" for name in find_packages())]
DATA = {
    "image_to_mesh": ["blender_manifest.toml"],
    "image_to_mesh.i18n": ["*.po"],
    "image_to_mesh.jobs.steps": ["*.ps1"],
    "image_to_mesh.worker.nets": ["*.safetensors", "LICENSE*"],
    **{name: ["*/*.json", "*/*.toml"] for name in PACKAGES if ".providers._" in name},
}

if __name__ == "__main__":
    setup(packages=PACKAGES, package_data=DATA)
