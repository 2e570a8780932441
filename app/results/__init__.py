# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of the heartbeat for the library: deleted results, and the Asset Browser that shows it."""
