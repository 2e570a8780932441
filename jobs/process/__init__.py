# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker processes: found, started, pooled, asked, watched and ended."""
