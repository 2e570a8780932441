# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two versions of Tripo's API share."""
