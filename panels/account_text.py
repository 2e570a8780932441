# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a service about an account, as short texts."""

from __future__ import annotations

from .. import jobs
from ..i18n.translate import tr


def balance_text(answer: jobs.AccountAnswer | None) -> str:
    """Return a line about an account's balance; empty if it was never asked for."""
    if answer is None:
        return ""
    if answer.waiting:
        return tr("Checking...")
    if answer.failure:
        return tr("Balance: unknown")
    if answer.amount is None:
        return tr("The key works")
    return tr("Balance: {}").format(amount_text(answer))


def amount_text(answer: jobs.AccountAnswer) -> str:
    """Format an amount with its unit: 1,250 credits, 12.5 USD."""
    number = f"{answer.amount or 0.0:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {tr(answer.unit)}".strip()
