# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's main thread between operators and jobs: watcher, events, recovery, bringing in."""
