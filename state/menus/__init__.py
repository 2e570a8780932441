# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers for the entries of menus."""
