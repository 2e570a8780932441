# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the subject of an image: which pixels belong to it, and how much."""
