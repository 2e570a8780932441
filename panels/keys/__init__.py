# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for API keys: in the sidebar's popover, and on the page of the preferences."""
