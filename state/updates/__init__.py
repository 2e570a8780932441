# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates of results, and previews of them."""
