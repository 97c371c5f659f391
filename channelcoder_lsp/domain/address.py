"""Network addresses."""

from __future__ import annotations

import ipaddress


def is_this_machine(host: str) -> bool:
    """Whether ``host`` is ``localhost`` or a loopback address; no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
