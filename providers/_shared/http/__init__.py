# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP: one client for calls and downloads, and the errors for calls that fail."""
