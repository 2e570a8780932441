# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by both versions of Tripo's API."""
