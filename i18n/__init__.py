# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in the user's language: one gettext file per language, named as Blender names it.

A new `.po` file in this folder is all that another language needs.
"""
