# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches: finding their images, and running only the jobs that the library still lacks."""
