# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews that the panel shows, prepared outside of drawing."""
