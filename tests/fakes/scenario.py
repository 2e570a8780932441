# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario on loopback: as strict as the service, with faults on demand.

Its storage listens on another port and refuses requests that carry a key. Structures and messages
are those of scenario-sdk 2.4.0 and its docs; where those leave room, it is as strict as possible.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from . import loopback
from .faulty import FaultyHandler, Refused
from .files import big_glb
from .glb import triangle_glb
from .place import Place
from .png import png_of
from .scenario_model import MODEL, RECORD, objection, price
from .scenario_state import BASIC, FBX, KEY, SECRET, ScenarioFake

GATEWAY = 6 * 1024 * 1024
KINDS = {"3d", "asset", "audio", "avatar", "image", "model", "text", "video"}
ENDS = {"success", "failure", "canceled", "succeeded", "completed", "failed", "error", "cancelled"}
NOW = "2026-11-20T09:00:00.000Z"


@contextlib.contextmanager
def serving(fake: ScenarioFake | None = None) -> Iterator[ScenarioFake]:
    """Serve the API and its storage on free loopback ports while the block runs."""
    fake = fake or ScenarioFake()
    with (
        loopback.serve(_Api, fake=fake) as fake.url,
        loopback.serve(_Storage, fake=fake) as fake.storage,
    ):
        yield fake


class _Storage(FaultyHandler):
    """Signed addresses: requests with a key are refused."""

    host = "storage"

    def _answer(self) -> tuple[int, Any]:
        if "authorization" in self.seen.headers:
            raise Refused(400, "<Error><Code>InvalidArgument</Code></Error>")
        if self.seen.query.get("Signature") != "valid":
            raise Refused(403, "<Error><Code>AccessDenied</Code></Error>")
        _, place, name, *rest = self.seen.path.split("/")
        if self.command == "GET" and place == "files":
            return 200, self.fake.files[name.partition(".")[0]]
        if self.command == "PUT" and place == "parts":
            upload = self.fake.uploads[name]
            if self.seen.headers.get("content-type") != upload["contentType"]:
                raise Refused(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
            upload["stored"][int(rest[0])] = self.seen.body
            return 200, b""
        raise Refused(405, "<Error/>")


class _Api(FaultyHandler):
    """The API: every path with the one method that it accepts."""

    host = "api"

    def _answer(self) -> tuple[int, Any]:
        if self.seen.headers.get("authorization") != f"Basic {BASIC}":
            raise Refused(401, {"message": "Unauthorized"})
        if len(self.seen.body) > GATEWAY:
            raise Refused(413, {"message": "Request Too Long"})
        for pattern, work in self._routes():
            method, path = pattern.split()
            found = re.fullmatch(path, self.seen.path)
            if found and method == self.command:
                return work(*found.groups())
        raise Refused(404, {"message": "Not Found"})

    def _routes(self) -> Iterator[tuple[str, Callable[..., tuple[int, Any]]]]:
        yield "POST /assets", self._add_asset
        yield "GET /assets/([^/]+)", self._asset
        yield "POST /assets/([^/]+)/download", self._convert
        yield "POST /uploads", self._begin_upload
        yield "POST /uploads/([^/]+)/action", self._complete_upload
        yield "GET /uploads/([^/]+)", self._upload
        yield "POST /generate/custom/([^/]+)", self._generate
        yield "GET /jobs", self._jobs
        yield "GET /jobs/([^/]+)", self._job
        yield "POST /jobs/([^/]+)/action", self._act
        yield "GET /models/([^/]+)", self._model
        yield "GET /teams", self._teams
        yield "GET /teams/([^/]+)/limits", self._limits
        yield "GET /me", self._me

    def _body(self, required: set[str], optional: AbstractSet[str] = frozenset()) -> dict[str, Any]:
        if self.seen.headers.get("content-type") != "application/json":
            raise Refused(415, {"message": "Unsupported Media Type"})
        body = self.seen.json
        wrong = set(body) - required - optional or required - set(body)
        if wrong:
            raise _refusal(400, f"Invalid body: {', '.join(sorted(wrong))}")
        return dict(body)

    # -- pictures in

    def _add_asset(self) -> tuple[int, Any]:
        body = self._body({"name", "image"}, {"hide", "parentId", "collectionIds"})
        text = re.sub(r"^data:image/[a-z]+;base64,", "", body["image"])
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise _refusal(400, "Invalid image") from None
        asset = self.fake.add_asset("inline", data, _picture_mime(data), "image")
        url = f"{self.fake.storage}/files/{asset}"
        return 200, {"asset": {**self.fake.assets[asset], "url": url}}

    def _begin_upload(self) -> tuple[int, Any]:
        identity = f"upload_{len(self.fake.uploads)}"
        upload: dict[str, Any] = {"id": identity, "status": "pending", "stored": {}, "looks": 0}
        if "url" in self.seen.json:
            upload |= self._body({"url", "kind"}) | {"source": "url", "begun": True}
        else:
            needed = {"fileName", "fileSize", "contentType", "kind", "parts"}
            upload |= self._body(needed, {"assetOptions"}) | {"source": "multipart"}
            upload["count"] = upload.pop("parts")
        if upload["kind"] not in KINDS:
            raise _refusal(400, "Invalid kind")
        self.fake.uploads[identity] = upload
        return 200, {"upload": self._upload_shown(upload)}

    def _upload_shown(self, upload: dict[str, Any]) -> dict[str, Any]:
        shown = {name: upload[name] for name in ("id", "status", "kind", "source")}
        shown |= {"authorId": "user_1", "ownerId": "proj_1", "createdAt": NOW, "updatedAt": NOW}
        shown["entityId"] = upload.get("entityId")
        shown["jobId"] = upload.get("jobId")
        shown["errorMessage"] = upload.get("errorMessage")
        places = range(1, upload.get("count", 0) + 1)
        shown["parts"] = [
            {
                "number": n,
                "url": self.fake.signed_address(f"/parts/{upload['id']}/{n}"),
                "expires": NOW,
            }
            for n in places
        ]
        return shown

    def _complete_upload(self, identity: str) -> tuple[int, Any]:
        if self._body({"action"})["action"] != "complete":
            raise _refusal(400, "Invalid action")
        upload = self._find(self.fake.uploads, identity, "Upload")
        if upload.get("begun"):
            raise _refusal(409, "Upload is already complete")
        data = b"".join(upload["stored"][number] for number in sorted(upload["stored"]))
        if len(upload["stored"]) != upload["count"] or len(data) != upload["fileSize"]:
            raise _refusal(400, "Parts are missing")
        upload |= {"begun": True, "data": data}
        return 200, {"upload": self._upload_shown(upload)}

    def _upload(self, identity: str) -> tuple[int, Any]:
        upload = self._find(self.fake.uploads, identity, "Upload")
        if upload.get("begun"):
            script = self.fake.upload_script
            upload["status"] = script[min(upload["looks"], len(script) - 1)]
            upload["looks"] += 1
        if upload["status"] == "failed":
            upload["errorMessage"] = "The file is not an image"
        if upload["status"] == "imported" and not upload.get("imported"):
            upload["imported"] = True
            self._import(upload)
        return 200, {"upload": self._upload_shown(upload)}

    def _import(self, upload: dict[str, Any]) -> None:
        data = upload.get("data", png_of(8, 8))
        asset = self.fake.add_asset("large", data, _picture_mime(data), "image")
        if not self.fake.upload_names_job:
            upload["entityId"] = asset
            return
        upload["jobId"] = f"job_{upload['id']}"
        done = {"status": "success", "metadata": {"output": {"entityId": asset}}}
        self.fake.jobs[upload["jobId"]] = {"jobId": upload["jobId"], **done}

    # -- the work

    def _model(self, model: str) -> tuple[int, Any]:
        if model != MODEL:
            raise _refusal(404, "Model not found")
        return 200, {"model": RECORD}

    def _generate(self, model: str) -> tuple[int, Any]:
        self._model(model)
        body = self.seen.json
        why = objection(body)
        if why:
            raise _refusal(400, why)
        dry = self.seen.query.get("dryRun") in ("true", "api")
        if body["image"] not in self.fake.assets and (not dry or self.fake.dry_run_wants_assets):
            raise _refusal(404, f"Asset {body['image']} not found")
        cost: dict[str, Any] = {"creativeUnitsCost": price(body), "creativeUnitsDiscount": 0}
        cost["costDetails"] = {"custom-generation": price(body)}
        if dry:
            return 269, cost
        time.sleep(self.fake.submit_takes)
        self.fake.submits.append(body)
        job = f"job_{next(self.fake.numbers):024d}"
        made = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        queued = {"jobId": job, "status": "queued", "input": body, "looks": 0, "created": made}
        self.fake.jobs[job] = queued
        return 200, {"job": self._job_shown(self.fake.jobs[job]), **cost}

    def _job_shown(self, job: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "jobType": "custom",
            "createdAt": job.get("created", NOW),
            "updatedAt": NOW,
            "statusHistory": [],
        }
        shown |= {"jobId": job["jobId"], "status": job["status"], "authorId": None}
        metadata = {"assetIds": [], "input": job.get("input", {}), **job.get("metadata", {})}
        shown["metadata"] = metadata
        if job["status"] == "in-progress":
            shown["progress"] = 0.3
        if job["status"] in ENDS and "input" in job:
            metadata |= self.fake.outcome.metadata
            shown["billing"] = self.fake.outcome.billing
        return shown

    def _jobs(self) -> tuple[int, Any]:
        wrong = set(self.seen.query) - {"status", "type", "types", "pageSize", "paginationToken"}
        size = int(self.seen.query.get("pageSize", "50"))
        if wrong or not 1 <= size <= 100:
            raise _refusal(400, "Invalid query")
        jobs = [self._job_shown(job) for job in reversed(self.fake.jobs.values())]
        token = self.seen.query.get("paginationToken", "page-0")
        start = int(token.removeprefix("page-"))
        end = start + size
        following = {"nextPaginationToken": f"page-{end}"} if end < len(jobs) else {}
        return 200, {"jobs": jobs[start:end], **following}

    def _job(self, identity: str) -> tuple[int, Any]:
        job = self._find(self.fake.jobs, identity, "Job")
        if "looks" in job and job["status"] != "canceled":
            script = self.fake.outcome.script
            job["status"] = script[min(job["looks"], len(script) - 1)]
            job["looks"] += 1
        return 200, {"job": self._job_shown(job)}

    def _act(self, identity: str) -> tuple[int, Any]:
        job = self._find(self.fake.jobs, identity, "Job")
        if self._body({"action"})["action"] != "cancel":
            raise _refusal(400, "Invalid action")
        if self.fake.cancel_refused:
            raise _refusal(400, "Only inference jobs can be canceled")
        self.fake.cancelled.append(identity)
        if not self.fake.cancel_late:
            job["status"] = "canceled"
        return 200, {"job": self._job_shown(job)}

    # -- meshes out

    def _asset(self, asset: str) -> tuple[int, Any]:
        kept = self._find(self.fake.assets, asset, "Asset")
        return 200, {"asset": {"url": self.fake.signed_address(f"/files/{asset}"), **kept}}

    def _convert(self, asset: str) -> tuple[int, Any]:
        wanted = self._body(set(), {"targetFormat"}).get("targetFormat", "")
        self._find(self.fake.assets, asset, "Asset")
        if self.fake.conversion_refused or wanted not in ("glb", "fbx", "obj"):
            raise _refusal(400, "This format is not available")
        self.fake.conversions.append((asset, wanted))
        self.fake.files[f"{asset}-{wanted}"] = triangle_glb(3) if wanted == "glb" else FBX
        url = self.fake.signed_address(f"/files/{asset}-{wanted}.{wanted}")
        return 200, {"url": url}

    # -- accounts

    def _teams(self) -> tuple[int, Any]:
        return 200, {"teams": [{"id": "team_1", "name": "Ours", "plan": "cu-pro", "projects": []}]}

    def _limits(self, team: str) -> tuple[int, Any]:
        told = {
            "plan": "cu-pro",
            "limits": {"creativeUnits": 5000, "parallelCustomJobs": 5},
            "values": {"creativeUnits": 1200.5},
            "oneShotCreativeUnits": [
                {"amount": 500, "remaining": 300, "expiration": "2999-01-01T00:00:00.000Z"},
                {"amount": 500, "remaining": 90, "expiration": "2020-01-01T00:00:00.000Z"},
            ],
        }
        return 200, told | self.fake.limits

    def _me(self) -> tuple[int, Any]:
        raise Refused(403, {"message": "API Keys cannot access protected resources"})

    @staticmethod
    def _find(kept: dict[str, dict[str, Any]], identity: str, kind: str) -> dict[str, Any]:
        if identity not in kept:
            raise _refusal(404, f"{kind} not found")
        return kept[identity]


def _refusal(status: int, reason: str) -> Refused:
    return Refused(status, {"reason": reason, "trace_id": "tr_1"})


def _picture_mime(data: bytes) -> str:
    for magic, mime in (
        (b"\x89PNG", "png"),
        (b"\xff\xd8", "jpeg"),
        (b"RIFF", "webp"),
        (b"II", "tiff"),
    ):
        if data.startswith(magic):
            return f"image/{mime}"
    raise _refusal(400, "Invalid image")


@contextlib.contextmanager
def place_at(size: int) -> Iterator[Place]:
    """Serve the fake; its meshes have `size` bytes."""
    with serving() as fake:
        mesh = big_glb(size)
        fake.add_result(mesh, "model/gltf-binary")
        keys = {"scenario_api_key": KEY, "scenario_api_secret": SECRET}
        yield Place(
            {"provider": "scenario", "url": fake.url, "keys": keys},
            f"/generate/custom/{MODEL}",
            lambda: len(fake.submits),
            lambda: len(fake.calls("GET", "/files/.*")),
            mesh,
            fake.jobs.clear,
            lists=True,
        )


PLACES = {"scenario": place_at}
