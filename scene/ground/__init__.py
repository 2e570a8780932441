# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ground: what is visible in a scene, and where a model fits beside it."""
