# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the schema of `job.json` and the table of its keys, both from the record's own classes.

The results are `docs/dev/job.schema.json` and the table in `docs/dev/job-json.md`. This file adds
descriptions, and the names of the few keys that are called something else in the code. A test fails
for a key without a description.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import environments
import places

DEV = places.ROOT / "docs" / "dev"
SCHEMA_FILE, PAGE = DEV / "job.schema.json", DEV / "job-json.md"
BEGIN, END = "<!-- Written by make schema. -->\n", "<!-- End. -->\n"
OLDER_NAMES = {"rotation": "turn", "cleanup": "mending", "in_chunks": "in_parts"}
"""Names in the code, and the older names that every version has written as keys of `place`."""
MESSAGE = {
    "type": "object",
    "properties": {
        "template": {"type": "string"},
        "values": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    {"$ref": "#/$defs/message"},
                ]
            },
        },
    },
    "required": ["template", "values"],
}
"""Schema of a message: its template, and the values of the fields, which may be messages, too."""

DESCRIPTIONS = {
    "id": "The job's id, which is also the name of its folder.",
    "state": "Where the job stands; see the table of states.",
    "provider": "The id of the provider.",
    "name": "The name of the image, which the objects in Blender get.",
    "created": "When the job was started: ISO 8601, UTC.",
    "schema": "The version of this format.",
    "pictures": "The images, in the order of the provider's views.",
    "pictures.view": "The side of the subject: front, left, back or right.",
    "pictures.name": "The image's own name.",
    "pictures.file": "The image as the user gave it, untouched; null for an address.",
    "pictures.url": "The image's address, if it was given as one.",
    "pictures.sent": "What was sent instead of `file`: converted, scaled down or without metadata.",
    "pictures.sha256": "SHA-256 of what was sent, hexadecimal.",
    "pictures.info": "Format and size of what was sent.",
    "pictures.info.format": "The file format, such as png or jpeg.",
    "pictures.info.width": "Width in pixels, as stored.",
    "pictures.info.height": "Height in pixels, as stored.",
    "pictures.info.orientation": "1 to 8 as in Exif; 1 is upright.",
    "pictures.original": "SHA-256 of `file`.",
    "settings": "The provider's settings by name, all of them.",
    "place": "How the mesh is imported; empty for a job without a scene.",
    "place.file": "Token of the .blend session that the job was started in.",
    "place.scene": "The name of the scene.",
    "place.location": "Location, in the scene's units.",
    "place.turn": "Rotation about Z, in radians.",
    "place.size": "Height or longest side of the model; 0 keeps its own size.",
    "place.measure": "What `size` is: height, or the longest side.",
    "place.spacing": "Gap to earlier results in a row along X; null lets them overlap.",
    "place.linked": "Whether the model is linked instead of appended.",
    "place.unpack": "Whether its textures are written to files.",
    "place.scale": "Set instead of `size` for a model that replaces another one.",
    "place.free": "Whether the mesh is placed on free ground on import, instead of at `location`.",
    "place.in_parts": "Whether a large model is also written in chunks.",
    "place.mending": "The options of the cleanup on import; null for the defaults.",
    "uploaded": "The service's references to the uploaded images, by view.",
    "submitted": "When the order was about to be sent: ISO 8601, UTC.",
    "request_hash": "SHA-256 of the order, by which the same one is recognized.",
    "ticket": "What any later process needs to poll the task, besides the key.",
    "files": "The result's files, as the service named them last.",
    "files.url": "Where the file is downloaded from: an address, or a path at the service; empty "
    "if it came with the answer.",
    "files.role": "Whether the file is the mesh or a preview.",
    "files.format": "Its extension, if known.",
    "files.file": "Its name in the job's folder, if it came with the answer.",
    "files.field": "If set, `files.url` is a path at the service, and this field of the answer "
    "has the file in base64.",
    "mesh": "The downloaded or generated mesh file.",
    "format": "The format of `mesh`, such as glb.",
    "blend": "The prepared model.",
    "preview": "The preview image.",
    "faces": "The number of faces.",
    "credits": "What the service charged, in its own unit.",
    "seconds": "Seconds from the start of the job to its end.",
    "facts": "Other data from the service, such as seeds and request ids.",
    "notes": "Sentences for the user about how the job went.",
    "failure": "The error that the job stopped with.",
    "failure.kind": "Its stable name, such as no_credits.",
    "failure.message": "What happened.",
    "failure.hint": "What to do next.",
    "failure.link": "A page that helps with it.",
    "failure.provider": "Another provider that can use the server that answered, if any.",
    "dismissed": "Whether the mesh is no longer offered for import.",
    "setting_files": "Files of the user's that settings name, such as a workflow.",
    "setting_files.setting": "The setting's name; its value is the file's own name.",
    "setting_files.name": "The file's own name, without folders.",
    "setting_files.file": "Its name in the job's folder.",
    "setting_files.sha256": "SHA-256 of its content, hexadecimal.",
    "templates": "Template and values of the sentences in `notes` and `failure`, by sentence.",
    "mark": "Signature with a secret of the user who wrote the record; others cannot make it.",
}
"""What each key means, by its path."""


def job_schema() -> dict[str, Any]:
    """Return the schema of what `jobs/library/record_json.py` writes, and of older records.

    Only the keys that every version has written are required. Raise KeyError for a key without a
    description.
    """
    from image_to_mesh.jobs.disk.signatures import MARK
    from image_to_mesh.jobs.library.migrations import SCHEMA
    from image_to_mesh.jobs.library.record_json import TEMPLATES
    from image_to_mesh.jobs.values import Record

    schema = _schema_of(Record)
    properties = {
        "place" if name == "plan" else name: value
        for name, value in schema["properties"].items()
        if name != "own"  # known when a record is read, and written as its mark
    }
    properties["place"] = _place_schema()
    properties["schema"] |= {"minimum": 1, "maximum": SCHEMA}
    properties[TEMPLATES] = {
        "type": "object", "additionalProperties": {"$ref": "#/$defs/message"}
    }  # fmt: skip
    properties[MARK] = {"type": "string"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "job.json"}
    described = {**head, **schema, "properties": properties, "$defs": {"message": MESSAGE}}
    for path, value in keys_of(described):
        value["description"] = DESCRIPTIONS[path]
    return described


def _place_schema() -> dict[str, Any]:
    """Return the schema of `place`, which is an ImportPlan and its Placement in one object.

    Some keys have older names than in these classes.
    """
    from image_to_mesh.jobs.import_plan import MEASURES, ImportPlan, Placement

    properties = {
        OLDER_NAMES.get(name, name): value
        for model in (ImportPlan, Placement)
        for name, value in _schema_of(model)["properties"].items()
        if name != "placement"
    }
    properties["measure"]["enum"] = list(MEASURES)
    written = ImportPlan(file="written only if it says something").as_json()
    return {"type": "object", "properties": {name: properties[name] for name in written}}


def _schema_of(model: type) -> dict[str, Any]:
    """Return a dataclass's JSON schema, self-contained and without titles."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(model).json_schema()
    plain: dict[str, Any] = _plain(schema, schema.pop("$defs", {}))
    return plain


def _plain(value: Any, classes: Mapping[str, Any]) -> Any:
    """Return the schema with references replaced by what they refer to in `classes`.

    Titles and descriptions, which come from docstrings, are left out.
    """
    if isinstance(value, list):
        return [_plain(item, classes) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        referred = classes[value["$ref"].rpartition("/")[2]]
        return _plain(
            {**referred, **{name: value[name] for name in set(value) - {"$ref"}}}, classes
        )
    return {
        name: {key: _plain(item, classes) for key, item in inner.items()}
        if name == "properties"
        else _plain(inner, classes)
        for name, inner in value.items()
        if name not in ("title", "description")
    }


def keys_of(schema: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the dotted path and the schema of every key, nested ones included."""
    for name, value in schema.get("properties", {}).items():
        yield f"{within}{name}", value
        for inner in (value, value.get("items", {}), *value.get("anyOf", ())):
            yield from keys_of(inner, f"{within}{name}.")


def key_table(schema: Mapping[str, Any]) -> str:
    """Return the keys as a table in Markdown."""
    rows = [
        f"| `{path}` | {_type_of(value)} | {value['description']} |\n"
        for path, value in keys_of(schema)
    ]
    return "| key | type | meaning |\n|---|---|---|\n" + "".join(rows)


def _type_of(value: Mapping[str, Any]) -> str:
    """Return the type in a key's schema in words, such as “string or null”."""
    kinds = [inner.get("type", "any") for inner in value.get("anyOf", [value])]
    return " or ".join(kinds)


def page_with(table: str) -> str:
    """Return the text of job-json.md with this table between its markers."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return the text of the schema file: indented JSON."""
    return json.dumps(schema, indent=2) + "\n"


def main() -> int:
    if "--inside" not in sys.argv:  # in an environment that has what the product needs
        python = environments.for_unit("3.11")
        return subprocess.call([str(python), "-B", __file__, "--inside"])
    sys.path.insert(0, str(places.link_checkout()))
    schema = job_schema()
    SCHEMA_FILE.write_text(schema_text(schema), "utf-8")
    PAGE.write_text(page_with(key_table(schema)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
