# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that the worker sets before it imports numpy."""

from __future__ import annotations

import os

import pytest
from unit.worker_package import load

main = load("main")


@pytest.mark.parametrize(("processors", "threads"), [(None, "1"), (1, "1"), (2, "1"), (16, "8")])
def test_the_artist_keeps_half_of_the_processors(
    monkeypatch: pytest.MonkeyPatch, processors: int | None, threads: str
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    main.leave_processors()
    assert os.environ == {"OPENBLAS_NUM_THREADS": threads}


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_a_number_that_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(os, "environ", {name: "3"})
    main.leave_processors()
    assert os.environ == {name: "3"}
