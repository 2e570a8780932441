# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own servers: which one answers at an address, and the files in their JSON."""
