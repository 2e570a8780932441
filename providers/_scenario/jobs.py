# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario's jobs, results, prices and accounts (scenario-sdk 2.4.0, docs, November 2026)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadMesh, BadReply, Banned, Expired, Failed
from .._shared.http.addresses import segment
from .._shared.messages import Message, as_message, join_messages
from .._shared.provider import Balance, CancelOutcome, Cost, Progress, RemoteFile, Result
from .._shared.reconcile import clock_offset, is_near, matches_request
from .errors import checked, content_refused, refusal
from .replies import Asset, Job, Price, TeamLimits, job_of, parse_body, part_of

if TYPE_CHECKING:
    from .._shared.http.client import Http

log = logging.getLogger(__name__)

UNITS = "Compute Units"
READABLE = frozenset({"glb", "fbx", "obj"})


def price_of(path: str, body: Mapping[str, Any], http: Http) -> Cost | None:
    """Return what a dry run says; None where it wants a picture that is really there."""
    reply = http.post(path, json=body)
    if reply.status in (400, 404, 422):
        log.info("no price: HTTP %d", reply.status)
        return None
    answer = checked(reply).json
    if "creativeUnitsCost" in answer and not answer.get("job"):
        return Cost(parse_body(reply, Price, "price").creativeUnitsCost, UNITS)
    if answer.get("job"):
        told = cancel(job_of(reply).jobId, http)
        raise BadReply(
            "Scenario started a job where only its price was asked.",
            Message("It was told to cancel it ({answer}): look at app.scenario.com.", answer=told),
        )
    raise refusal(reply, otherwise=BadReply)


def look_at(ticket: Mapping[str, Any], http: Http) -> Progress | Result:
    """Ask how far a job is."""
    reply = http.get(f"/jobs/{segment(ticket['job'])}")
    # Only the job itself can say that it failed: a refusal of the question ends nothing paid.
    job = job_of(checked(reply, otherwise=BadReply, missing=Expired))
    if job.end == "done":
        return result_of(job, ticket, http)
    if job.end == "failed":
        raise _failure(job)
    if job.end == "cancelled":
        raise Failed(
            Message("Job {job} was cancelled at Scenario.", job=job.jobId), "Generate it again."
        )
    part = None if job.progress is None else min(max(job.progress, 0.0), 1.0)
    return Progress(job.phase, part)


def jobs_like(
    body: Mapping[str, Any], usual: Mapping[str, Any], since: datetime, http: Http
) -> tuple[str, ...]:
    """Return the jobs that were made then of exactly this; none where they cannot be listed."""
    reply = http.get("/jobs", params={"type": "custom", "pageSize": 100})
    listed = reply.json.get("jobs") if reply.ok and isinstance(reply.json, dict) else None
    found = []
    for row in listed if isinstance(listed, list) else ():
        metadata = row.get("metadata") if isinstance(row, dict) else None
        told = metadata.get("input") if isinstance(metadata, dict) else None
        if not isinstance(told, dict) or told.get("image") != body["image"]:
            continue
        if is_near(row.get("createdAt"), since + clock_offset(reply)) and matches_request(
            body, told, usual
        ):
            found.append(str(row.get("jobId") or row.get("id")))
    return tuple(found)


def cancel(job: str, http: Http) -> CancelOutcome:
    """Cancel a job. A refusal means that it goes on, and is charged."""
    reply = http.post(f"/jobs/{segment(job)}/action", json={"action": "cancel"})
    if reply.status in (401, 429) or reply.status >= 500:
        raise refusal(reply, otherwise=Failed)
    if not reply.ok:
        return CancelOutcome.CHARGED
    now = job_of(reply)
    if now.end != "cancelled":
        now = job_of(checked(http.get(f"/jobs/{segment(job)}")))
    if now.end != "cancelled":
        return CancelOutcome.UNKNOWN
    kept = now.billing is not None and now.billing.disableRefund
    return CancelOutcome.CHARGED if kept else CancelOutcome.FREE


def result_of(job: Job, ticket: Mapping[str, Any], http: Http) -> Progress | Result:
    """Sort out a finished job's assets: one mesh, one preview.

    Quads stay in the file that has them, which is FBX: GLB knows triangles only. Any other mesh
    that is not GLB is converted by Scenario where it can, because one file then has all textures.
    """
    quad = bool(ticket.get("quad"))
    assets = [_asset(one, http) for one in job.metadata.assetIds]
    meshes = sorted((one for one in assets if one.is_mesh), key=lambda one: _rank(one, quad))
    if not meshes:
        raise BadMesh(
            Message("Scenario says that job {job} is done, but gives no mesh.", job=job.jobId),
            "Look for it in the project's library at app.scenario.com, or resume the job.",
        )
    mesh = meshes[0]
    if mesh.status == "pending":
        return Progress("Finishing", 1.0)
    if mesh.status == "error":
        raise Failed(
            Message("Scenario could not store the mesh of job {job}.", job=job.jobId),
            "Ask its support.",
        )
    previews = (RemoteFile(url, "preview") for url in _previews(mesh, assets))
    more = len(meshes) - 1
    return Result(
        files=(_mesh_file(mesh, quad, http), *list(previews)[:1]),
        credits=job.billing.total if job.billing else ticket.get("cost"),
        facts={"job": job.jobId, "asset": mesh.id, **_seeds(job, mesh)},
        notes=(
            Message("{count} more mesh files are in the Scenario project's library.", count=more),
        )
        if more
        else (),
    )


def _asset(asset: str, http: Http) -> Asset:
    reply = http.get(f"/assets/{segment(asset)}", params={"originalAssets": "true"})
    return part_of(checked(reply, otherwise=BadReply, missing=BadMesh), "asset", Asset)


def _rank(asset: Asset, quad: bool) -> tuple[bool, bool, float]:
    wanted = any(format_ == _wanted(quad) for _, format_ in asset.places())
    return not asset.made_from_picture, not wanted, asset.metadata.outputIndex


def _wanted(quad: bool) -> str:
    return "fbx" if quad else "glb"


def _mesh_file(asset: Asset, quad: bool, http: Http) -> RemoteFile:
    places = list(asset.places())
    best = next((one for one in places if one[1] == _wanted(quad)), None)
    if best is None and quad:
        best = next((one for one in places if one[1] in READABLE), None)
    if best is None and places and places[0][1]:
        best = _converted(asset, _wanted(quad), http)
    if best is None and not places:
        raise BadMesh(
            Message("Scenario gives no address for asset {asset}.", asset=asset.id),
            "Resume the job.",
        )
    url, format_ = best or places[0]
    return RemoteFile(url, "mesh", format_ or None)


def _converted(asset: Asset, format_: str, http: Http) -> tuple[str, str] | None:
    reply = http.post(f"/assets/{segment(asset.id)}/download", json={"targetFormat": format_})
    url = reply.json.get("url") if reply.ok and isinstance(reply.json, dict) else None
    if isinstance(url, str) and url:
        return url, format_
    log.info("asset %s is not converted to %s: HTTP %d", asset.id, format_, reply.status)
    return None


def _previews(mesh: Asset, assets: list[Asset]) -> Iterator[str]:
    yield from (one.url for one in assets if one.kind == "image" and not one.textures and one.url)
    yield from (link.url for link in (mesh.preview, mesh.thumbnail) if link.url)


def _seeds(job: Job, mesh: Asset) -> dict[str, Any]:
    told = {**job.metadata.input, **job.metadata.output}
    told.setdefault("seed", mesh.metadata.seed)
    return {name: told[name] for name in ("seed", "textureSeed") if told.get(name) is not None}


SILENT = "Scenario could not make the mesh and does not say why"


def _failure(job: Job) -> Failed:
    """Make the error of a job that ended without a mesh."""
    message = job.metadata.error or SILENT
    refund = "Its Compute Units are given back."
    if job.billing and job.billing.disableRefund:
        refund = "Its Compute Units are not given back."
    hint = job.metadata.hint or "Try another picture or other settings."
    kind = Banned if content_refused(f"{message} {job.metadata.hint}") else Failed
    return kind(
        Message("{message} (job {job}).", message=as_message(message.rstrip(".")), job=job.jobId),
        join_messages(f"{hint.rstrip('.')}.", refund),
    )


def units_left(model: str, http: Http) -> Balance | None:
    """Return what the key's team can spend; None where the key is good but may not see it.

    The list of teams, which is read first, costs nothing and is the test of the key. A key that
    may not read it is tested with the model's page, which costs nothing either.
    """
    reply = http.get("/teams")
    if reply.status in (403, 404):
        checked(http.get(f"/models/{segment(model)}"))
        return None
    teams = checked(reply).json.get("teams")
    if not isinstance(teams, list) or not teams or not isinstance(teams[0], dict):
        return None
    limits = http.get(f"/teams/{segment(teams[0].get('id'))}/limits")
    if limits.status in (403, 404):
        return None
    told = parse_body(checked(limits), TeamLimits, "limits")
    return Balance(told.left, UNITS) if told.limits.creativeUnits >= 0 else None
