# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory and the CPU time of the network; `make bench` alone judges the time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import places
import pytest

MOST_MEGABYTES = 300
MOST_SECONDS = 2.0
"""CPU seconds of one thread."""
ASK = """
import json, re, sys, time
from pathlib import Path
import numpy as np
from unit.worker_package import load
u2netp, weights, salient = load("nets.u2netp"), load("nets.weights"), load("local.subject.salient")
rgb = np.random.default_rng(1).uniform(size=(320, 240, 3)).astype(np.float32)
took = []
for _ in range(int(sys.argv[1])):
    started = time.process_time()
    u2netp.find_salient(rgb, weights.open_weights(salient.WEIGHTS))
    took.append(time.process_time() - started)
# Of this process alone: what getrusage tells begins at its parent's.
most = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"seconds": min(took), "megabytes": most}))
"""


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is Linux's")
def test_the_network_is_light_and_quick() -> None:
    judged = os.environ.get("BENCH") == "1"
    folders = os.pathsep.join(str(places.ROOT / name) for name in ("tests", "tools"))
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": folders}
    done = subprocess.run(
        [sys.executable, "-B", "-c", ASK, "5" if judged else "1"],
        env=environment, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    print(f"\n  {found['seconds']:.2f} CPU s, {found['megabytes']:.0f} MB with Python and numpy")
    assert found["megabytes"] <= MOST_MEGABYTES
    if judged:
        assert found["seconds"] <= MOST_SECONDS
