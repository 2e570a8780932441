# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker processes: finds a Blender; starts, pools, and watches workers; sends them requests."""
