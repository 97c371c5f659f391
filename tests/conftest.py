from __future__ import annotations

import pytest
from hypothesis import settings

# A machine under load must not fail a property: how long an example takes is a benchmark's business.
settings.register_profile("here", deadline=None)
settings.load_profile("here")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
