# SPDX-License-Identifier: GPL-3.0-or-later
"""The places for keys: the popover in the sidebar, and the page of the preferences."""
