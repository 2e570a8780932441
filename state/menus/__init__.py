# SPDX-License-Identifier: GPL-3.0-or-later
"""What menus need: numbers for their entries."""
