# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange the mesh of an object: the object stays, and the former mesh stays as a version."""
