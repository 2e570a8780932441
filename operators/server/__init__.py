# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that ask servers, and say what they answered."""
