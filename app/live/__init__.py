# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of the active result while its settings are changed."""
