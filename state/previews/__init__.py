# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that the panel shows, loaded or written outside of drawing."""
