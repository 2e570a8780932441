# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on disk: one folder per job, its record, its index, its versions."""
