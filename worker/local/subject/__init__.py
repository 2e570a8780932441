# SPDX-License-Identifier: GPL-3.0-or-later
"""Separate the subject of an image from its background."""
