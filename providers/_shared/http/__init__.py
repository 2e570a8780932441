# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP: one client for calls and downloads, and what its failures mean."""
