# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of images: which images they hold, and which of them still need a job."""
