# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of a result's mesh while its settings are dragged."""
