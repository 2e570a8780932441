# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a textured solid from the mask of a subject."""
