# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared model's metadata for Blender's asset browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...providers import all_providers
from ..custom_properties import COST, DATE, JOB, PICTURE, PROVIDER, SETTINGS

if TYPE_CHECKING:
    from ..values import Record

CATALOG = "Image to Mesh"
_NAMESPACE = "5c1ad9a5-3f0e-4a57-9d5b-6f1c8a4e2b70"
"""A fixed, arbitrary UUID, so that a provider has the same catalog in every library."""


def asset_catalog(provider: str, label: str) -> tuple[str, str]:
    """Return the UUID and the path of the asset catalog for a provider's models."""
    import uuid

    ident = uuid.uuid5(uuid.UUID(_NAMESPACE), provider)
    return str(ident), f"{CATALOG}/{label.replace(':', '').strip()}"


def asset_data(record: Record) -> dict[str, Any]:
    """Return the asset metadata that the worker writes into the model, as values for JSON."""
    from ..steps.fingerprint import changed_settings

    provider = all_providers().get(record.provider)
    label = provider.label if provider else record.provider
    unit = provider.unit if provider else "Credits"
    cost = "" if record.credits is None else f"{record.credits:,.10g} {unit}"
    settings = changed_settings(record.provider, record.settings)
    details = {
        "Image": ", ".join(picture.name for picture in record.pictures) or record.name,
        "Made by": label,
        "Settings": ", ".join(f"{name} {value}" for name, value in settings.items()) or "defaults",
        "Date": record.created[:10],
        "Cost": cost,
    }
    return {
        "catalog": asset_catalog(record.provider, label)[0],
        "author": label,
        "description": ". ".join(f"{name}: {value}" for name, value in details.items() if value),
        "license": provider.license_note() if provider else "",
        "tags": [CATALOG, label, record.name],
        "properties": {
            JOB: record.id,
            PICTURE: details["Image"],
            PROVIDER: record.provider,
            SETTINGS: details["Settings"],
            DATE: record.created,
            COST: cost,
        },
    }
