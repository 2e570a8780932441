# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by all services: the provider interface, HTTP, images, errors, settings."""
