# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that choose and edit the scene's image."""
