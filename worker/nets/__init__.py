# SPDX-License-Identifier: GPL-3.0-or-later
"""Small neural networks in plain numpy, with weights that are read by memory map."""
