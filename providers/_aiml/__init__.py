# SPDX-License-Identifier: GPL-3.0-or-later
"""What the models of AI/ML API share."""
