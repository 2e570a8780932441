# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a finished model: report, cleanup, decimation, quads, print check."""
