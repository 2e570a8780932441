# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of mesh files, made before an importer reads them.

The files come from the internet, and an importer written in C++ that trusts a wrong count can crash
or overwrite memory.
"""
