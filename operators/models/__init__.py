# SPDX-License-Identifier: GPL-3.0-or-later
"""Download models that run on this computer, or copy them from files."""
