# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of the custom properties that this add-on sets on objects and images."""

from __future__ import annotations

# Users' .blend files contain these keys: never change one.
JOB = "image_to_mesh_job"
"""The id of the job that made the object."""
PROVIDER = "image_to_mesh_provider"
SETTINGS = "image_to_mesh_settings"
"""The job's settings, as JSON."""
PICTURE = "image_to_mesh_picture"
"""The names of the job's input images."""
MODEL = "image_to_mesh_model"
"""The service's model that made it; models differ in which way their meshes face."""
ROTATION = "image_to_mesh_turn"
"""Degrees about Z by which the object was rotated on import."""
APPLIED = "image_to_mesh_turn_applied"
"""Degrees of it that are in the mesh; the rest is the object's own rotation."""
DATE = "image_to_mesh_date"
COST = "image_to_mesh_cost"
VERSION = "image_to_mesh_version"
"""The version of the job's model, as a file name in the job's folder."""
SCALE = "image_to_mesh_scale"
"""The scale that was needed on import for the chosen height."""
EDITED_FROM = "image_to_mesh_original"
"""On an image: the name of the image that it was edited from."""
