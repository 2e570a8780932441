# SPDX-License-Identifier: GPL-3.0-or-later
"""Get, cancel, and bring models that run on this computer."""
