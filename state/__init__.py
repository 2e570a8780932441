# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's choices in scenes and preferences, and the state that panels draw."""
