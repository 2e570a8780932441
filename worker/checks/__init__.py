# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of mesh files, made before an importer reads them.

The files come from the internet: an importer in C++ that believes a wrong count crashes or worse.
"""
