# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only a server knows: their JSON text in the scene, and the fields that edit it."""
