# SPDX-License-Identifier: GPL-3.0-or-later
"""Update a result in place: a new mesh in the same object."""
