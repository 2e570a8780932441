# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks on mesh files from strangers, made before an importer reads them."""
