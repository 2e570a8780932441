# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in shared folders: portable names, locks, signatures, trust, trash, and free space."""
