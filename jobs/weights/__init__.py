# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights of neural networks, which are downloaded when the user asks for them."""
