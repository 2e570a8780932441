# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in folders that others may write to: names, locks, signatures, trust, trash, space."""
