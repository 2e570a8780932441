# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts from strangers: shown without harm, stored always, sent back exactly or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.running import Orders
from fakes.service import Service

from image_to_mesh.jobs import Library, Record, State
from image_to_mesh.jobs.import_plan import ImportPlan
from image_to_mesh.jobs.library.index import LibraryIndex
from image_to_mesh.providers import (
    BadMesh,
    BadReply,
    Failed,
    Message,
    Progress,
    RemoteFile,
    Result,
    Ticket,
    Uploaded,
)
from image_to_mesh.providers._shared.exact_ids import is_sendable_unchanged, require_exact_values
from image_to_mesh.providers._shared.untrusted_text import (
    MOST,
    clean,
    decode_answer,
    decode_text,
    json_bytes,
    json_line,
    read_json,
)

HALF = "\ud83d"
_ODD = (0x61C, 0xFEFF, 0xFFF9, 0xD800, 0xDCFF, 0xDFFF, 0xE000, 0xE0041, 0x378, 0x10FFFF)
EVERY_KIND = "".join(map(chr, (*range(0x250), *range(0x2000, 0x2070), *_ODD)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bPq payload\x1b\\after", "after"),
        ("two\r\n\tlines", "two lines"),
        ("abc\u202egnp.exe\u202c", "abcgnp.exe"),
        ("\u2066isolate\u2069", "isolate"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("null\0byte\x7f", "nullbyte"),
        (f"half {HALF} an emoji", "half � an emoji"),
        ("name-\udcff.png", "name-�.png"),
        ("Größe 猫 🐈 עברית", "Größe 猫 🐈 עברית"),
        ("no\xa0break", "no break"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("क्\u200dष", "क्\u200dष"),
        ("pass\u200dword \u200c猫\u200d\u200b猫\u200d", "password 猫猫"),
    ],
)
def test_shown_text_is_printable(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_every_kind_of_character_becomes_printable_storable_and_short() -> None:
    said = clean(EVERY_KIND, 5000)
    assert said.isprintable()
    assert said.encode().decode() == said
    assert len(clean("long " * 10_000_000)) == MOST
    assert clean(clean(EVERY_KIND)) == clean(EVERY_KIND)


def test_a_megabyte_of_escapes_is_cleaned_quickly() -> None:
    began = time.process_time()
    for piece in ("\x1b[", "\x1b]", "\x9b0;", "\u202e", "\x1bP" + "a" * 50, "\n\t"):
        assert clean(piece * 1_000_000).isprintable()
    assert time.process_time() - began < 1.0


def test_clean_text_is_returned_unchanged() -> None:
    message = Message("{name} is there.", name="cup")
    assert clean(message) is message
    assert Failed(message).message is message


def test_errors_and_their_values_are_printable() -> None:
    error = Failed(f"a\x1b[2J{HALF}", "b\n\nc", "https://x.test/\u202e")
    assert (error.message, error.hint, error.link) == ("a�", "b c", "https://x.test/")
    assert str(error).isprintable()
    message = Message("{path} of {count:.1f}: {inner}", path=Path("bad\udcff\x1b[1m.png"), count=2,
                      inner=Message("{x}", x="\0"))  # fmt: skip
    assert message == "bad�.png of 2.0: "
    assert message.values["path"] == "bad�.png"


# -- what goes back as it came -------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [HALF, "a\nb", "a\0", "\x1b[1m", "a\u202e", "�", "key…", "x" * 99999]
)
def test_an_invalid_id_is_refused_and_never_altered(bad: str) -> None:
    with pytest.raises(BadReply, match="returned an invalid"):
        Ticket({"task": bad})
    with pytest.raises(BadReply):
        Uploaded({"front": bad})
    with pytest.raises(BadMesh):
        Result((RemoteFile(bad),))


def test_ids_stay_unchanged_and_the_text_beside_them_is_cleaned() -> None:
    ticket = Ticket({"task": "a b/ü?&%41", "facts": {"said\x1b[1m": ["x\0", 1, None, True]}})
    assert ticket.data == {"task": "a b/ü?&%41", "facts": {"said": ["x", 1, None, True]}}
    result = Result(facts={"seed\n": HALF}, notes=("two\nlines",))
    assert (result.facts, result.notes) == ({"seed ": "�"}, ("two lines",))
    assert Progress("\x1b[31mWorking\n").phase == "Working "
    assert is_sendable_unchanged("https://cdn.test/m.glb?X-Amz-Signature=" + "f" * 3000)
    assert require_exact_values({"n": 1}, "id") == {"n": 1}


# -- answers -------------------------------------------------------------------------------------


def _same(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b'\xef\xbb\xbf{"task": "a"}', "", {"task": "a"}),
        ('{"task": "ü"}'.encode("utf-16"), "", {"task": "ü"}),
        ('{"task": "ü"}'.encode("utf-32-le"), "", {"task": "ü"}),
        ('{"m": "größer"}'.encode("latin-1"), "application/json; charset=ISO-8859-1",
         {"m": "größer"}),
        ('{"m": "größer"}'.encode("latin-1"), "application/json", {"m": "gr��er"}),
        ('{"m": "größer"}'.encode(), "text/plain; charset=latin1", {"m": "größer"}),
        (b'{"m": "\xff"}', "text/plain; charset=punycode", {"m": "�"}),
        (b'{"m": "\\ud83d", "\\udcff": [{"a": "\\udfff!"}]}', "", {"m": "�", "�": [{"a": "�!"}]}),
        (b'{"m": "\\ud83d\\ude00"}', "", {"m": "😀"}),
        (b"[" * 100_000, "", None),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "", None),
        (b"<html>\xff", "text/html", None),
        (b"", "", None),
    ],
)  # fmt: skip
def test_answers_are_decoded_from_any_encoding(body: bytes, kind: str, value: object) -> None:
    text, found = decode_answer(decode_text(body, kind), _same)
    assert found == value
    assert text.encode().decode() == text


# -- files that we write and read ----------------------------------------------------------------


def test_json_is_written_for_any_text() -> None:
    value = {HALF: [HALF, "\udcff", Path("x"), "ü"], "n": 1.5}
    assert json.loads(json_bytes(value)) == {HALF: [HALF, "\udcff", "x", "ü"], "n": 1.5}
    assert json.loads(json_line({"a": f"ü{HALF}\x9b\u202e"}, "utf-8")) == {
        "a": f"ü{HALF}\x9b\u202e"
    }
    assert json_line({"a": "猫"}, "utf-8") == '{"a": "猫"}'
    for encoding in ("ascii", "cp1252", None, "no-such-encoding"):
        assert json.loads(json_line({"a": "猫"}, encoding).encode("ascii")) == {"a": "猫"}
    assert read_json(b'{"a\\u001b[1m": "\\ud83d\\n"}') == {"a": "� "}
    with pytest.raises(ValueError, match="deep"):
        read_json(b"[" * 100_000)


def record_of(library: Path, job: str = "20260101-000000-cup-0000", **values: Any) -> Library:
    """Put a record into a library as a stranger would."""
    (library / job).mkdir(parents=True)
    told = {"id": job, "state": "ready", "provider": "rehearsal", "name": "cup",
            "created": "2026-01-01T00:00:00+00:00", "schema": 2, **values}  # fmt: skip
    (library / job / "job.json").write_text(json.dumps(told), "utf-8")
    return Library(library)


@pytest.mark.parametrize(
    "values",
    [
        {"name": f"cup{HALF}"},
        {"notes": [HALF, "\x1b[2J"]},
        {"facts": {HALF: [HALF]}},
        {"failure": {"kind": "failed", "message": f"{HALF}\x1b]0;x\x07"}},
        {"settings": {"note": HALF}, "place": {"file": "/art/\udcff.blend"}},
        {"pictures": [{"view": "front", "name": HALF, "file": "front.png"}]},
        {"provider": "\x1b[31mno", "created": "\0"},
    ],
)
def test_a_record_with_any_text_is_read_shown_and_saved_again(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    library = record_of(tmp_path, **values)
    record = library.load(library.jobs()[0])
    library.save(record)
    assert library.load(record.id) == record
    assert record.plan.file in ("", "/art/\udcff.blend")
    assert json.dumps(asdict(replace(record, plan=ImportPlan())), ensure_ascii=False).encode()
    listed = LibraryIndex(tmp_path)
    listed.refresh()
    assert (len(listed.entries), listed.problems) == (1, ())
    entry = listed.entries[0]
    assert all(item.isprintable() for item in (entry.name, entry.provider, entry.failure))
    again = LibraryIndex(tmp_path)
    again.open()
    assert again.entries == listed.entries


def test_a_folder_with_an_odd_name_is_reported_and_stops_no_other(tmp_path: Path) -> None:
    record_of(tmp_path)
    for name in ("odd\udcff", "odd\x1b[31m", "odd\nname", "odd\u202egnp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "job.json").write_text("{}")
    listed = LibraryIndex(tmp_path)
    listed.refresh()
    assert len(listed.entries) == 1
    assert len(listed.problems) == 4
    assert all(problem.isprintable() and "valid job name" in problem for problem in listed.problems)


def test_a_record_is_saved_with_any_text(tmp_path: Path) -> None:
    library = record_of(tmp_path)
    record = Record(
        library.jobs()[0], State.RUNNING, "rehearsal", f"x{HALF}", "now",
        ticket={"task": HALF}, settings={HALF: HALF}, plan=ImportPlan(file="\udcff"),
    )  # fmt: skip
    library.save(record)
    assert library.load(record.id).plan == ImportPlan(file="\udcff")


# -- a service that says such things -------------------------------------------------------------


def test_half_an_emoji_as_a_tasks_id_is_uncertain_and_on_disk(
    orders: Orders, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes import service as fake

    answer = fake._Handler._answer

    def odd(self: Any, status: int, value: Any, headers: Any = None) -> None:
        told = {"task": HALF} if "task" in value else value
        answer(self, status, told, headers)

    monkeypatch.setattr(fake._Handler, "_answer", odd)
    view = orders.end()
    assert view.state is State.UNCERTAIN
    assert view.failure is not None
    assert "returned an invalid" in view.failure.message
    assert Library(orders.library).load(view.job).state is State.UNCERTAIN
    assert len(service.submits) == 1
