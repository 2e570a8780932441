# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's choices, and what the panels show of them."""
