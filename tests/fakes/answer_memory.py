# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints how much memory a job takes for an answer with its mesh, in multiples of the answer.

Started as a program: the service has a process of its own, so that only the job's memory counts.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import aiml
from fakes.aiml_cases import end_of, job_for, source
from fakes.files import big_glb
from fakes.png import png_of
from image_to_mesh.jobs import Session
from image_to_mesh.providers import get_provider

SIZE = 36 << 20
ANSWER = SIZE * 4 / 3


def _serve(line: Connection) -> None:
    small = aiml.serving(aiml.Aiml(shape="data_b64"))
    large = aiml.serving(aiml.Aiml(shape="data_b64", mesh=big_glb(SIZE)))
    with small as first, large as second:
        line.send((first.url, second.url))
        line.recv()


def _peak() -> int:
    """Return the peak memory of this process so far, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def _ready(session: Session, url: str) -> int:
    """Make one job at this address; return the peak after it."""
    with tempfile.TemporaryDirectory() as folder:
        png = source(png_of(64, 48))
        order = job_for(get_provider("aiml_triposr"), aiml.Aiml(url=url), Path(folder), png)
        view = end_of(session, session.start(order), limit=120.0)
        session.join(10.0)
        print(view.state)
    return _peak()


def main() -> None:
    """Make a job with a small answer, so that everything is imported, then one with a large one."""
    if sys.platform == "win32":
        raise OSError("only on Unix")
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    context.Process(target=_serve, args=(there,), daemon=True).start()
    small, large = here.recv()
    session = Session()
    before = _ready(session, small)
    print((_ready(session, large) - before) / ANSWER)
    here.send("over")


if __name__ == "__main__":
    main()
