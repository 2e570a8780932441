# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates of results that are under way."""
