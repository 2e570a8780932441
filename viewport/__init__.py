# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on draws into the 3D Viewport."""
