# SPDX-License-Identifier: GPL-3.0-or-later
"""Swap an object's mesh: the object stays, and its former mesh is kept as a version."""
