# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: what runs in the background Blender, a program of its own."""
