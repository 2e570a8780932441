# SPDX-License-Identifier: GPL-3.0-or-later
"""Work outside of jobs, on its own threads: image checks, previews, account queries, and edits."""
