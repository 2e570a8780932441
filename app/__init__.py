# SPDX-License-Identifier: GPL-3.0-or-later
"""Services on Blender's main thread, between operators and jobs: watcher, heartbeat, imports."""
