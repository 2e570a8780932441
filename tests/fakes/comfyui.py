# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI on loopback, as strict as the real one, with what its orders can end in.

Source: ComfyUI 0.3.64, run on loopback on 2026-11-28; newer versions by their code. The nodes, and
the checks of a graph, are in `comfyui_nodes.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from . import loopback
from .comfyui_nodes import NODES, check_graph
from .glb import triangle_glb

DROPPED = 0
"""A status in `faults`: the request has its effect, but the connection closes unanswered."""
Item = tuple[str, str, str]
"""A file: its type (input, output, temp), its subfolder, and its name."""


def with_extras(glb: bytes, extras: dict[str, Any]) -> bytes:
    """Return a GLB file whose asset has these extras, as SaveGLB writes them."""
    length = struct.unpack_from("<I", glb, 12)[0]
    header = json.loads(glb[20 : 20 + length])
    header["asset"]["extras"] = extras
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    rest = glb[20 + length :]
    head = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text) + len(rest), len(text), b"JSON")
    return head + text + rest


@dataclass
class Comfyui:
    """The state of the server, faults to come, and what it received.

    `newer`: a version of 2026, which only takes UUIDs as ids of orders. `stages` are where the next
    order is found, one for each look into the queue: “pending”, “running” or “moving”, which is
    neither; after that, it ends. `ends` says how: “success”, “error”, “memory”, “interrupted”,
    “vanished”, or “null”, an old entry without a status. `header`: one that a proxy in front of the
    server requires. `faults` are statuses by path. `cached`: savers are answered from the cache.
    """

    newer: bool = False
    ends: str = "success"
    header: str = ""
    cached: bool = False
    metadata: bool = True
    url: str = ""
    mesh: bytes = field(default_factory=lambda: triangle_glb(3))
    stages: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    files: dict[Item, bytes] = field(default_factory=dict)
    queued: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    freed: int = 0

    def restart(self) -> None:
        """Forget the queue and the history; the files stay."""
        self.queued.clear()
        self.history.clear()

    def count(self, method: str, path: str) -> int:
        """Count the requests of a path."""
        return self.calls.count((method, path))

    def has_input(self, name: object) -> bool:
        """Return whether an input image is there, by its name in a graph."""
        folder, _, file = str(name).rpartition("/")
        return ("input", folder, file) in self.files

    def take_image(self, form: list[loopback.FormField]) -> tuple[int, Any]:
        """Keep an uploaded image; another one of the same name gets a number."""
        values = {item.name: item.data.decode() for item in form if not item.filename}
        images = [item for item in form if item.name == "image" and item.filename]
        kind, folder = values.get("type", "input"), values.get("subfolder", "")
        is_inside = ".." not in PurePosixPath(folder).parts and not folder.startswith("/")
        if len(images) != 1 or kind not in ("input", "temp", "output") or not is_inside:
            return 400, b""
        name, data = images[0].filename, images[0].data
        path, number = PurePosixPath(name), 1
        while self.files.get((kind, folder, name), data) != data and "overwrite" not in values:
            name = f"{path.stem} ({number}){path.suffix}"
            number += 1
        self.files[kind, folder, name] = data
        return 200, {"name": name, "subfolder": folder, "type": kind}

    def take_order(self, body: Any) -> tuple[int, Any]:
        """Check a graph, and put it into the queue."""
        graph = body.get("prompt") if isinstance(body, dict) else None
        if not isinstance(graph, dict):
            error = {"type": "no_prompt", "message": "No prompt provided",
                     "details": "No prompt provided", "extra_info": {}}  # fmt: skip
            return 400, {"error": error, "node_errors": {}}
        id_ = str(body.get("prompt_id") or uuid.uuid4())
        if self.newer and not _is_uuid(id_):
            error = {"type": "invalid_prompt_id", "message": "Invalid prompt_id", "details": id_,
                     "extra_info": {}}  # fmt: skip
            return 400, {"error": error, "node_errors": {}}
        wrong, errors, good = check_graph(graph, self.has_input, newer=self.newer)
        if wrong is not None:
            return 400, {"error": wrong, "node_errors": errors}
        self.orders.append(body)
        extra = {"client_id": body["client_id"]} if "client_id" in body else {}
        entry = [len(self.orders), id_, graph, extra, good]
        self.queued[id_] = {"prompt": entry, "stages": list(self.stages), "ends": self.ends}
        self.stages = []
        return 200, {"prompt_id": id_, "number": len(self.orders), "node_errors": errors}

    def poll_queue(self) -> dict[str, Any]:
        """Return the queue, and move its orders on by one stage."""
        running, pending = [], []
        strangers = [[-number, id_, {}, {}, []] for number, id_ in enumerate(self.ahead)]
        for id_, order in list(self.queued.items()):
            if not order["stages"]:
                self._end(id_)
                continue
            stage = order["stages"].pop(0)
            running += [order["prompt"]] if stage == "running" else []
            pending += [order["prompt"]] if stage == "pending" else []
        # Newest first: the real server keeps a heap, whose order is not that of the queue.
        return {
            "queue_running": [*strangers[:1], *running],
            "queue_pending": [*pending[::-1], *strangers[1:]],
        }

    def entry_of(self, id_: str) -> dict[str, Any]:
        """Return what `/history` says about an order: nothing until it has ended."""
        order = self.queued.get(id_)
        if order is not None and not order["stages"]:
            self._end(id_)
        return {id_: self.history[id_]} if id_ in self.history else {}

    def _end(self, id_: str) -> None:
        order = self.queued.pop(id_)
        ends = order["ends"]
        if ends == "vanished":
            return
        graph, good = order["prompt"][2], order["prompt"][4]
        savers = {node: self._save(graph, node, ends) for node in good}
        outputs = {node: said for node, said in savers.items() if said}
        messages: list[Any] = [["execution_start", {"prompt_id": id_}]]
        if self.cached:
            messages.append(["execution_cached", {"nodes": list(good), "prompt_id": id_}])
        state = "error" if ends in ("error", "memory", "interrupted") else "success"
        messages.append(_LAST[ends](graph, id_))
        status = {"status_str": state, "completed": state == "success", "messages": messages}
        self.history[id_] = {
            "prompt": order["prompt"],
            "outputs": {} if state == "error" else outputs,
            "status": None if ends == "null" else status,
            "meta": {},
        }

    def stop(self, id_: str) -> None:
        """Interrupt an order, if it is the one that runs."""
        self.interrupted.append(id_)
        if self.queued.get(id_, {}).get("stages", [])[:1] == ["running"]:
            self.queued[id_].update(stages=[], ends="interrupted")

    def _save(self, graph: dict[str, Any], node: str, ends: str) -> dict[str, Any]:
        """Write the file of an output node, and return what it says about it."""
        kind = graph[node]["class_type"]
        prefix = graph[node]["inputs"].get("filename_prefix", "ComfyUI")
        folder, _, name = prefix.rpartition("/")
        file = f"{name}_00001_.glb"
        if kind in ("SaveGLB", "ExportMesh") and ends in ("success", "null"):
            extras = {"prompt": json.dumps(graph)} if self.metadata else {}
            self.files["output", folder, file] = with_extras(self.mesh, extras)
        if kind == "SaveGLB":
            return {"3d": [{"filename": file, "subfolder": folder, "type": "output"}]}
        if kind == "ShowMesh":
            return {"result": [f"{folder}/old.glb".lstrip("/")]}
        if kind == "PreviewImage":
            return {"images": [{"filename": "a.png", "subfolder": "", "type": "temp"}]}
        return {}  # a saver that returns only a text


def _is_uuid(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return str(uuid.UUID(text)) == text
    return False


def _failure(kind: str, message: str) -> Any:
    def last(graph: dict[str, Any], id_: str) -> list[Any]:
        node = next((key for key in graph if graph[key]["class_type"] == "KSampler"), min(graph))
        return [
            "execution_error",
            {
                "prompt_id": id_, "node_id": node, "node_type": graph[node]["class_type"],
                "executed": [], "exception_message": message, "exception_type": kind,
                "traceback": ["File ..."], "current_inputs": {}, "current_outputs": [],
            },
        ]  # fmt: skip

    return last


def _success(graph: dict[str, Any], id_: str) -> list[Any]:
    return ["execution_success", {"prompt_id": id_}]


_LAST: dict[str, Any] = {
    "success": _success,
    "null": _success,
    "error": _failure("RuntimeError", "mat1 and mat2 shapes cannot be multiplied\n"),
    "memory": _failure("torch.OutOfMemoryError", "Allocation on device 0 would exceed memory."),
    "interrupted": lambda graph, id_: [
        "execution_interrupted",
        {"prompt_id": id_, "node_id": "5", "node_type": "KSampler", "executed": []},
    ],
}


@contextlib.contextmanager
def serving(service: Comfyui) -> Iterator[Comfyui]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, quiet=True, service=service) as service.url:
        yield service


class _Handler(loopback.Handler):
    service: Comfyui

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        service, url = self.service, urlsplit(self.path)
        path = url.path.removeprefix("/api")
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.calls.append((self.command, path))
        service.headers.append(headers)
        faults = service.faults.get(path, [])
        fault = faults.pop(0) if faults else None
        if fault:
            return self._send(fault, b"A fault.", "text/plain")
        status, value = self._route(path, url.query, headers, body)
        if fault == DROPPED:
            self.close_connection = True
            return None
        if isinstance(value, bytes):
            return self._send(status, value, "model/gltf-binary", headers.get("range", ""))
        return self._send(status, json.dumps(value).encode(), "application/json")

    def _route(
        self, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        service = self.service
        name, _, value = service.header.partition(": ")
        if service.header and headers.get(name.lower()) != value:
            return 401, b""
        if "origin" in headers and headers["origin"] != service.url:
            return 403, b""
        if self.command == "POST":
            return self._post(path, headers, body)
        if path == "/system_stats":
            system = {"os": "posix", "comfyui_version": "0.3.64", "argv": ["main.py"]}
            return 200, {"system": system, "devices": [{"name": "cpu", "type": "cpu"}]}
        if path == "/object_info":
            return 200, NODES
        if path.startswith("/object_info/"):
            kind = unquote(path.removeprefix("/object_info/"))
            return 200, {kind: NODES[kind]} if kind in NODES else {}
        if path == "/queue":
            return 200, service.poll_queue()
        if path.startswith("/history/"):
            return 200, service.entry_of(path.removeprefix("/history/"))
        if path == "/view":
            return self._view({key: values[0] for key, values in parse_qs(query).items()})
        return 404, b""

    def _view(self, asked: dict[str, str]) -> tuple[int, Any]:
        name, folder = asked.get("filename", ""), asked.get("subfolder", "")
        if not name or name[0] == "/" or ".." in name:
            return 400, b""
        if ".." in folder or folder.startswith("/"):
            return 403, b""
        data = self.service.files.get((asked.get("type", "output"), folder, name))
        return (404, b"") if data is None else (200, data)

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        service = self.service
        if path == "/upload/image":
            return service.take_image(loopback.form_fields(headers, body))
        if path not in ("/prompt", "/queue", "/interrupt", "/free"):
            return 405, b""
        try:
            sent = json.loads(body or b"{}")
        except ValueError:
            return 500, b"500 Internal Server Error"
        if path == "/prompt":
            return service.take_order(sent)
        if path == "/queue":
            for id_ in sent.get("delete", ()):
                if service.queued.get(id_, {}).get("stages", [])[:1] != ["running"]:
                    service.queued.pop(id_, None)
        if path == "/interrupt":
            service.stop(str(sent.get("prompt_id", "")))
        service.freed += path == "/free" and sent.get("unload_models") is True
        return 200, b""

    def _send(self, status: int, data: bytes, kind: str, span: str = "") -> None:
        total, mark = len(data), hashlib.sha256(data).hexdigest()[:12]
        match = re.fullmatch(r"bytes=(\d+)-", span) if status == 200 else None
        if match:
            status, data = 206, data[int(match[1]) :]
        self.send_response(status)
        if match:
            self.send_header("Content-Range", f"bytes {match[1]}-{total - 1}/{total}")
        if status in (200, 206):
            self.send_header("ETag", f'"{mark}"')
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
