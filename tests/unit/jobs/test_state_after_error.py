# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of error in every state: the job's next state, and the exit code.

A job that can be resumed never ends with 1; an order that may have been sent never fails; 2 means
that nothing was sent.
"""

from __future__ import annotations

import pytest

from image_to_mesh.cli.exit_codes import exit_code, exit_code_for, was_submitted
from image_to_mesh.jobs import Failure, Record, State
from image_to_mesh.jobs.state_after_error import UNEXPECTED, VERDICTS, state_after
from image_to_mesh.providers import ImageToMeshError, Sent
from image_to_mesh.providers._shared.errors import _by_kind

KINDS = (*_by_kind(ImageToMeshError), ImageToMeshError.kind, UNEXPECTED, "import")
STATES = (None, *State)
ORDER = "none queued submitting running downloading preparing ready failed cancelled uncertain"

# The code for each state, in the order above; what is behind / holds once the service has an order.
CODES = {
    "invalid_settings": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "repeated": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "bad_image": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "no_blender": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "wrong_module": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "library": "2 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7 2/7",
    "missing_key": "3 3 3 3 3 3 3 3 3 3",
    "bad_key": "3 3 3 3 3 3 3 3 3 3",
    "no_credits": "4 4 4 4 4 4 4 4 4 4",
    "rate_limited": "5 5 5 5 5 5 5 5 5 5",
    "timed_out": "5 5 5 5 5 5 5 5 5 5",
    "unreachable": "5 5 5 5 7 7 5 5 5 5",
    "bad_reply": "2 5 6 5 7 7 7 2/7 2/7 6",
    "rejected": "1 5 6 5 7 7 7 1 1 6",
    "failed": "1 5 6 5 7 7 7 1 1 6",
    "banned": "1 5 6 5 7 7 7 1 1 6",
    "expired": "1 5 6 5 7 7 7 1 1 6",
    "bad_mesh": "7 7 7 7 7 7 7 7 7 7",
    "uncertain": "6 6 6 6 6 6 6 6 6 6",
    "error": "2 5 6 5 7 7 7 2/7 2/7 6",
    "import": "2 5 6 5 7 7 7 2/7 2/7 6",
    "unexpected": "2 5 6 5 7 7 7 2/7 2/7 6",
}

# Where a job stands after an error, by where it stood. Q S R D P U F: the states' first letters.
NEXT = {
    "invalid_settings": {"Q": "F", "R": "R", "D": "D"},
    "repeated": {"Q": "F", "R": "R", "D": "D"},
    "bad_image": {"Q": "F", "R": "R", "D": "D"},
    "missing_key": {"Q": "F", "R": "R", "D": "D"},
    "bad_key": {"Q": "F", "R": "R", "D": "D"},
    "no_credits": {"Q": "F", "R": "R", "D": "D"},
    "rejected": {"Q": "F", "R": "F", "D": "F"},
    "failed": {"Q": "F", "R": "F", "D": "F"},
    "banned": {"Q": "F", "R": "F", "D": "F"},
    "expired": {"Q": "F", "R": "F", "D": "F"},
    "uncertain": {"Q": "Q", "R": "U", "D": "U"},
}
STAYS = {"Q": "Q", "R": "R", "D": "D"}
# The same for an order that was under way: nothing sent, maybe sent, answered.
ORDERED = {
    **dict.fromkeys(
        ("invalid_settings", "repeated", "bad_image", "missing_key", "bad_key"), "F U F"
    ),
    **dict.fromkeys(("no_credits", "rejected", "failed", "banned", "expired"), "F U F"),
    **dict.fromkeys(("rate_limited", "unreachable"), "Q U Q"),
    "library": "Q U S",
    "uncertain": "U U U",
}
LETTERS = {state.value[0].upper(): state for state in State if state.value[0] not in "rc"}
LETTERS |= {"R": State.RUNNING}


def test_the_table_covers_every_error_kind_and_state() -> None:
    assert set(CODES) == set(KINDS)
    assert ORDER.split() == ["none", *map(str, State)]
    assert {len(row.split()) for row in CODES.values()} == {len(STATES)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", range(len(STATES)), ids=ORDER.split())
def test_each_error_has_its_exit_code(kind: str, place: int) -> None:
    state = STATES[place]
    before, _, after = CODES[kind].split()[place].partition("/")
    assert exit_code(kind, state) == int(before)
    if state is not None:
        assert exit_code(kind, state, ordered=True) == int(after or before)
    if state is not None and state not in (State.FAILED, State.CANCELLED):
        assert exit_code(kind, state) != 1
    if exit_code(kind, state) == 1:
        assert kind in VERDICTS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("was", ["Q", "R", "D"])
def test_each_error_leads_to_its_state(kind: str, was: str) -> None:
    expected = NEXT.get(kind, STAYS)[was]
    assert state_after(kind, LETTERS[was]) is LETTERS[expected]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sent", list(Sent))
def test_each_outcome_of_an_order_leads_to_its_state(kind: str, sent: Sent) -> None:
    row = ORDERED.get(kind, "Q U U").split()
    expected = LETTERS[row[list(Sent).index(sent)]]
    found = state_after(kind, State.SUBMITTING, sent)
    assert found is expected
    if sent is Sent.MAYBE:
        assert found is State.UNCERTAIN


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("was", list(State))
@pytest.mark.parametrize("home", [False, True])
def test_no_resumable_job_exits_with_1(kind: str, was: State, home: bool) -> None:
    for sent in (None, *Sent):
        then = state_after(kind, was, sent, home=home)
        code = exit_code(kind, then, ordered=was not in (State.QUEUED, State.SUBMITTING))
        assert (code == 1) <= (then in (State.FAILED, State.CANCELLED) and kind in VERDICTS)
        if was.over or was is State.PREPARING:
            assert then is was


@pytest.mark.parametrize("state", list(State))
def test_each_record_has_its_exit_code(state: State) -> None:
    record = Record("a", state, "tripo", "a", "2026", ticket={"task": "1"})
    assert was_submitted(record)
    assert exit_code_for(None, record) == (0 if state is State.READY else 130)
    for kind in KINDS:
        code = exit_code(kind, state, ordered=True)
        assert exit_code_for(Failure(kind, "Something."), record) == code
    assert not was_submitted(None)
