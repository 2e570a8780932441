# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on finished meshes and on the library."""
