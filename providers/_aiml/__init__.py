# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by the models of AI/ML API."""
