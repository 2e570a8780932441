# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery's filters, its page, and its selected result."""
