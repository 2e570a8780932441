# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for what cannot be called in a test: services on loopback, the background Blender."""

from __future__ import annotations

import sys
from pathlib import Path

FAKES = Path(__file__).resolve().parent
WORKER = (sys.executable, str(FAKES / "worker.py"))
