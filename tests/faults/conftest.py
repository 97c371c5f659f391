from __future__ import annotations

from e2e.server.conftest import machine, shared_model

__all__ = ["machine", "shared_model"]
