# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: the program that the background Blender process runs.

It parses files from the internet, so it runs apart from the artist's Blender. It imports nothing
from the add-on's other rooms.
"""
