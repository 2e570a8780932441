# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario's jobs, results, prices and account limits.

Sources: Scenario's documentation and scenario-sdk 2.4.0; as of November 2026.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadMesh, BadReply, Banned, Expired, Failed
from .._shared.http.addresses import segment
from .._shared.messages import Message, as_message, join_messages
from .._shared.provider import Balance, CancelOutcome, Cost, Progress, RemoteFile, Result
from .._shared.reconcile import Page, clock_offset, matches_request, rows_around
from .errors import check_reply, content_refused, refusal
from .replies import Asset, Job, Price, TeamLimits, job_of, parse_body, parse_field

if TYPE_CHECKING:
    from .._shared.http.client import Http

log = logging.getLogger(__name__)

UNITS = "Compute Units"
"""The same as `ScenarioTripo.unit`, which cannot be imported here."""
READABLE = frozenset({"glb", "fbx", "obj"})


def get_price(path: str, body: Mapping[str, Any], http: Http) -> Cost | None:
    """Return the price from a dry run, or None if Scenario refuses the placeholder for the image.

    If Scenario starts a job instead, cancel the job, and raise BadReply. Raises the error for any
    other refusal, and BadReply for a response without a price.
    """
    reply = http.post(path, json=body)
    # Scenario may look for the placeholder image, and refuse the call.
    if reply.status in (400, 404, 422):
        log.info("no price: HTTP %d", reply.status)
        return None
    answer = check_reply(reply).json
    if "creativeUnitsCost" in answer and not answer.get("job"):
        return Cost(parse_body(reply, Price, "price").creativeUnitsCost, UNITS)
    if answer.get("job"):
        outcome = cancel(job_of(reply).jobId, http)
        raise BadReply(
            "Scenario started a job although only the price was requested.",
            "The job was canceled at no charge."
            if outcome is CancelOutcome.FREE
            else "You may be charged for the job: check app.scenario.com.",
        )
    raise refusal(reply, otherwise=BadReply)


def poll(ticket: Mapping[str, Any], http: Http) -> Progress | Result:
    """Return the progress or the result of a job.

    Raises Failed if the job failed or was canceled, Expired if Scenario does not know it, and the
    error for any other refused poll. For a finished job, see also `result_of`.
    """
    reply = http.get(f"/jobs/{segment(ticket['job'])}")
    # Not Failed, which would end the job: only its own status may do that, not a refused poll.
    job = job_of(check_reply(reply, otherwise=BadReply, missing=Expired))
    if job.end == "done":
        return result_of(job, ticket, http)
    if job.end == "failed":
        raise _failure(job)
    if job.end == "cancelled":
        raise Failed(
            Message("Job {job} was canceled at Scenario.", job=job.jobId), "Generate again."
        )
    fraction = None if job.progress is None else min(max(job.progress, 0.0), 1.0)
    return Progress(job.phase, fraction)


def find_jobs(
    body: Mapping[str, Any], defaults: Mapping[str, Any], since: datetime, http: Http
) -> tuple[str, ...]:
    """Return the ids of jobs with these inputs that were created around `since`.

    `defaults` has the values of inputs that `body` leaves out. Returns an empty tuple if Scenario
    refuses to list the jobs.
    """
    jobs = []
    for row in rows_around(since, "createdAt", partial(_page_of_jobs, http), ""):
        metadata = row.get("metadata")
        inputs = metadata.get("input") if isinstance(metadata, dict) else None
        if not isinstance(inputs, dict) or inputs.get("image") != body["image"]:
            continue
        if matches_request(body, inputs, defaults):
            jobs.append(str(row.get("jobId") or row.get("id")))
    return tuple(dict.fromkeys(jobs))


def _page_of_jobs(http: Http, token: str) -> Page | None:
    """Return the page of the project's jobs at a token, or None if Scenario refuses that."""
    page = {"paginationToken": token} if token else {}
    reply = http.get("/jobs", params={"type": "custom", "pageSize": 100, **page})
    listed = reply.json.get("jobs") if reply.ok and isinstance(reply.json, dict) else None
    if not isinstance(listed, list):
        return None
    rows = [row for row in listed if isinstance(row, dict)]
    return Page(rows, clock_offset(reply), reply.json.get("nextPaginationToken") or None)


def cancel(job: str, http: Http) -> CancelOutcome:
    """Cancel a job, and return whether it is charged for.

    - CHARGED if Scenario refuses to cancel the job, or cancels it without a refund.
    - UNKNOWN if the job is not canceled yet.
    - FREE otherwise.

    Raises the error for a refused key, a rate limit or a server error.
    """
    reply = http.post(f"/jobs/{segment(job)}/action", json={"action": "cancel"})
    if reply.status in (401, 429) or reply.status >= 500:
        raise refusal(reply, otherwise=Failed)
    if not reply.ok:
        return CancelOutcome.CHARGED
    now = job_of(reply)
    # The response may still show the state before the cancellation.
    if now.end != "cancelled":
        now = job_of(check_reply(http.get(f"/jobs/{segment(job)}")))
    if now.end != "cancelled":
        return CancelOutcome.UNKNOWN
    charged = now.billing is not None and now.billing.disableRefund
    return CancelOutcome.CHARGED if charged else CancelOutcome.FREE


def result_of(job: Job, ticket: Mapping[str, Any], http: Http) -> Progress | Result:
    """Return a finished job's mesh and preview, or progress while Scenario is storing the mesh.

    If possible, the mesh is a GLB, converted by Scenario if necessary, because a GLB includes its
    textures. Quads are an FBX instead, because a GLB has only triangles. There may be no preview.

    Raises BadMesh if there is no mesh or no URL for it, Failed if Scenario could not store it.
    """
    quad = bool(ticket.get("quad"))
    assets = [_asset(asset_id, http) for asset_id in job.metadata.assetIds]
    meshes = sorted(
        (asset for asset in assets if asset.is_mesh), key=lambda asset: _rank(asset, quad)
    )
    if not meshes:
        raise BadMesh(
            Message("Scenario finished job {job} but returned no mesh.", job=job.jobId),
            "Look for it in the project's library at app.scenario.com, or resume the job.",
        )
    mesh = meshes[0]
    if mesh.status == "pending":
        return Progress("Finalizing", 1.0)
    if mesh.status == "error":
        raise Failed(
            Message("Scenario failed to store the mesh of job {job}.", job=job.jobId),
            "Contact Scenario's support.",
        )
    previews = (RemoteFile(url, "preview") for url in _previews(mesh, assets))
    more = len(meshes) - 1
    return Result(
        files=(_mesh_file(mesh, quad, http), *list(previews)[:1]),
        credits=job.billing.total if job.billing else ticket.get("cost"),
        facts={"job": job.jobId, "asset": mesh.id, **_seeds(job, mesh)},
        notes=(Message("More mesh files in your Scenario project: {count}.", count=more),)
        if more
        else (),
    )


def _asset(asset: str, http: Http) -> Asset:
    reply = http.get(f"/assets/{segment(asset)}", params={"originalAssets": "true"})
    return parse_field(check_reply(reply, otherwise=BadReply, missing=BadMesh), "asset", Asset)


def _rank(asset: Asset, quad: bool) -> tuple[bool, bool, float]:
    has_format = any(format_ == _format_for(quad) for _, format_ in asset.downloads())
    return not asset.made_from_picture, not has_format, asset.metadata.outputIndex


def _format_for(quad: bool) -> str:
    return "fbx" if quad else "glb"


def _mesh_file(asset: Asset, quad: bool, http: Http) -> RemoteFile:
    downloads = list(asset.downloads())
    best = next((item for item in downloads if item[1] == _format_for(quad)), None)
    if best is None and quad:
        best = next((item for item in downloads if item[1] in READABLE), None)
    if best is None and downloads and downloads[0][1]:
        best = _convert(asset, _format_for(quad), http)
    if best is None and not downloads:
        raise BadMesh(
            Message("Scenario returned no download URL for asset {asset}.", asset=asset.id),
            "Resume the job.",
        )
    url, format_ = best or downloads[0]
    return RemoteFile(url, "mesh", format_ or None)


def _convert(asset: Asset, format_: str, http: Http) -> tuple[str, str] | None:
    reply = http.post(f"/assets/{segment(asset.id)}/download", json={"targetFormat": format_})
    url = reply.json.get("url") if reply.ok and isinstance(reply.json, dict) else None
    if isinstance(url, str) and url:
        return url, format_
    log.info("asset %s is not converted to %s: HTTP %d", asset.id, format_, reply.status)
    return None


def _previews(mesh: Asset, assets: list[Asset]) -> Iterator[str]:
    yield from (
        asset.url
        for asset in assets
        if asset.kind == "image" and not asset.is_texture and asset.url
    )
    yield from (link.url for link in (mesh.preview, mesh.thumbnail) if link.url)


def _seeds(job: Job, mesh: Asset) -> dict[str, Any]:
    values = {**job.metadata.input, **job.metadata.output}
    values.setdefault("seed", mesh.metadata.seed)
    return {name: values[name] for name in ("seed", "textureSeed") if values.get(name) is not None}


SILENT = "Scenario could not generate the mesh and gave no reason"


def _failure(job: Job) -> Failed:
    """Return the error for a failed job: Banned if its content was refused, else Failed."""
    message = job.metadata.error or SILENT
    refund = "The Compute Units are refunded."
    if job.billing and job.billing.disableRefund:
        refund = "The Compute Units are not refunded."
    hint = job.metadata.hint or "Try another image or other settings."
    kind = Banned if content_refused(f"{message} {job.metadata.hint}") else Failed
    return kind(
        Message("{message} (job {job}).", message=as_message(message.rstrip(".")), job=job.jobId),
        join_messages(f"{hint.rstrip('.')}.", refund),
    )


def get_balance(model: str, http: Http) -> Balance | None:
    """Return the remaining Compute Units of the key's first team.

    Return None if the key may not read them, if it has no team, or if the plan has no limit. If the
    key may not read the teams, the model is requested instead, to test the key. Raises the error
    for any other refusal, such as BadKey.
    """
    reply = http.get("/teams")
    if reply.status in (403, 404):
        check_reply(http.get(f"/models/{segment(model)}"))
        return None
    teams = check_reply(reply).json.get("teams")
    if not isinstance(teams, list) or not teams or not isinstance(teams[0], dict):
        return None
    limits = http.get(f"/teams/{segment(teams[0].get('id'))}/limits")
    if limits.status in (403, 404):
        return None
    balance = parse_body(check_reply(limits), TeamLimits, "limits")
    # A limit of -1 means that the plan has no limit.
    return Balance(balance.remaining, UNITS) if balance.limits.creativeUnits >= 0 else None
