# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line can do with jobs, one by one and many at once. Nothing here imports bpy."""
