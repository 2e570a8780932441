# SPDX-License-Identifier: GPL-3.0-or-later
"""Background Blenders as processes: found, started, pooled, asked, watched, ended."""
