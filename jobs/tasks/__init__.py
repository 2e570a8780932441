# SPDX-License-Identifier: GPL-3.0-or-later
"""Work apart from jobs, on threads of its own: image checks, downloads, account queries, edits."""
