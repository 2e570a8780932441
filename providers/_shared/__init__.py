# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by all providers: their interface, HTTP, images, errors, settings."""
