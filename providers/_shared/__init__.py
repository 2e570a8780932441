# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services share: the Provider class, settings, errors, HTTP and images."""
