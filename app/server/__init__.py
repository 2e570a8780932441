# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to servers besides jobs, on Blender's main thread."""
