# SPDX-License-Identifier: GPL-3.0-or-later
"""From the mask of a subject to a textured solid."""
