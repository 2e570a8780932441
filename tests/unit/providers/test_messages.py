# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages: a template with named fields that reads as a finished sentence."""

from __future__ import annotations

import json

import pytest

from image_to_mesh.providers import Failed, Message


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
