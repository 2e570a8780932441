# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages: a template with named fields that reads as a finished sentence."""

from __future__ import annotations

import copy
import errno
import json
import os
import pickle
from typing import Any

import pytest

from image_to_mesh.providers import (
    Failed,
    Message,
    decode_message,
    encode_message,
    encode_templates,
    join_messages,
    os_reason,
    restore_message,
)


def test_a_message_reads_as_the_finished_sentence() -> None:
    message = Message("{provider} needs an API key.", provider="Tripo")
    assert message == "Tripo needs an API key."
    assert json.dumps(message) == '"Tripo needs an API key."'
    assert (message.template, dict(message.values)) == (
        "{provider} needs an API key.",
        {"provider": "Tripo"},
    )


def test_a_value_with_braces_is_no_template() -> None:
    assert Message("There is no {name}.", name="{x}") == "There is no {x}."


def test_a_field_without_a_value_is_a_mistake_in_the_code() -> None:
    with pytest.raises(KeyError):
        Message("{provider} needs an API key.")


def test_an_error_keeps_the_message_that_it_was_made_with() -> None:
    message = Message("{provider} is down.", provider="Tripo")
    assert isinstance(Failed(message).message, Message)


# -- as JSON -------------------------------------------------------------------------------------

NESTED = Message(
    "{message} (task {task}, {number}).",
    message=Message("{api} is down", api="Tripo"),
    task="{x}",
    number=3,
)


def test_a_message_comes_back_from_json_with_template_and_values() -> None:
    found = decode_message(json.loads(json.dumps(encode_message(NESTED))))
    assert isinstance(found, Message)
    assert found == NESTED == "Tripo is down (task {x}, 3)."
    assert (found.template, found.values) == (NESTED.template, NESTED.values)


def test_a_copy_of_a_message_is_a_message() -> None:
    for copied in (copy.deepcopy(NESTED), pickle.loads(pickle.dumps(NESTED))):
        assert (copied, copied.template) == (NESTED, NESTED.template)


def test_a_plain_text_is_encoded_as_itself() -> None:
    assert encode_message("just {text}") == decode_message("just {text}") == "just {text}"


def test_joined_sentences_keep_their_templates() -> None:
    joined = join_messages(NESTED, "", "Try again.")
    assert joined == "Tripo is down (task {x}, 3). Try again."
    assert [getattr(value, "template", None) for value in joined.values.values()] == [
        NESTED.template,
        "Try again.",
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        {},
        {"template": 3, "values": {}},
        {"template": "{x}", "values": {}},
        {"template": "{x", "values": {"x": 1}},
        {"template": "{}", "values": {}},
        {"template": "{x:>999999999}", "values": {"x": 1}},
        {"template": "{x.__class__}", "values": {"x": 1}},
        {"template": "{x[0]}", "values": {"x": "a"}},
        {"template": "{x!r}", "values": {"x": "a"}},
        {"template": "{x}", "values": {"x": {"template": "{y:9}", "values": {"y": 1}}}},
        {"template": "{x}", "values": {"x": None}},
    ],
)
def test_json_that_is_not_a_message_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"(not a (message|template)|no value)"):
        decode_message(value)


def test_messages_within_messages_without_end_are_refused() -> None:
    value: Any = "deep"
    for _ in range(2000):
        value = {"template": "{x}", "values": {"x": value}}
    with pytest.raises(ValueError, match="not a message"):
        decode_message(value)


def test_a_template_that_contradicts_its_sentence_is_ignored() -> None:
    encoded = encode_templates([NESTED, "plain"])
    assert list(encoded) == [NESTED]
    assert isinstance(restore_message(str(NESTED), encoded), Message)
    odd: tuple[Any, ...] = ({"Tripo is up.": encoded[NESTED]}, {"Tripo is up.": 3}, [], None, "x")
    for templates in odd:
        found = restore_message("Tripo is up.", templates)
        assert (found, type(found)) == ("Tripo is up.", str)


def test_error_messages_of_the_system_can_be_translated() -> None:
    reason = os_reason(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    assert reason.template == os.strerror(errno.EACCES)
    assert os_reason(OSError("no number")) == "no number"
