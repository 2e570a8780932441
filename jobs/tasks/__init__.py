# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside jobs, on threads of its own: image checks, downloads, account queries, edits."""
