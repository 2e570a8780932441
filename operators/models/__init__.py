# SPDX-License-Identifier: GPL-3.0-or-later
"""Download, cancel, and copy models that run on this computer."""
