# SPDX-License-Identifier: GPL-3.0-or-later
"""Many images at once: what they are, and which of them still need a job."""
