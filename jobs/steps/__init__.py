# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a job, in order: inputs, checks, upload, submit, poll, download, and prepare."""
