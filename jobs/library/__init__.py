# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on disk: one folder per job, with its record and its versions, and an index."""
