# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on finished meshes: import, replace, rotate, edit, delete, the library."""
