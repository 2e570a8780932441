# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of models, followed on Blender's main thread."""
