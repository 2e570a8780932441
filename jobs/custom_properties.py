# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the custom properties that this add-on gives to objects and images."""

from __future__ import annotations

JOB = "image_to_mesh_job"
"""The id of the job that an object was made by."""
PROVIDER = "image_to_mesh_provider"
SETTINGS = "image_to_mesh_settings"
"""The job's settings, as JSON."""
PICTURE = "image_to_mesh_picture"
"""The names of the images that the job was made of."""
MODEL = "image_to_mesh_model"
"""Which of a service's models made it; they differ in where their front is."""
TURN = "image_to_mesh_turn"
"""By how many degrees about Z the object was rotated on import."""
DATE = "image_to_mesh_date"
COST = "image_to_mesh_cost"
VERSION = "image_to_mesh_version"
"""Which version of the job's model it is, as a file name of the job's folder."""
SCALE = "image_to_mesh_scale"
"""The scale that the target height asked for on import."""
EDITED_FROM = "image_to_mesh_original"
"""On an image: the name of the image that it was edited from."""
