# SPDX-License-Identifier: GPL-3.0-or-later
"""Live previews of the active result while its settings change."""
