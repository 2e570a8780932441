# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery of finished meshes, and the details of the selected one."""
