# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: reading, inspecting, editing, converting, and encoding them."""
