"""Whatever is killed, nothing that somebody was told is lost, doubled or unreadable."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from .crashing import Run

if TYPE_CHECKING:
    from e2e.server.conftest import Machine

KILLS = int(os.environ.get("CHANNELCODER_TEST_KILLS", "8"))
"""How often the servers die; `make soak` has them die a thousand times."""
LIVES_OF_A_SESSION = 50


@pytest.mark.timeout(120 + 60 * KILLS)
async def test_nothing_acknowledged_is_lost_or_doubled_when_servers_are_killed(machine: Machine):
    """Their questions and answers, the threads that were resolved; the seed in a failure repeats the choices."""
    seed = int(os.environ.get("CHANNELCODER_TEST_SEED", "0")) or Random().randrange(1 << 32)
    random = Random(seed)
    kills = answers = 0
    while kills < KILLS:
        run = Run(machine, random, name=f"project-{kills}")
        await run.begin()
        for _ in range(min(LIVES_OF_A_SESSION, KILLS - kills)):
            await run.live()
            kills += 1
            assert await run.differences() == [], f"after {kills} kills, seed {seed}"
        answers += len(run.told.answers)
    assert answers, f"nobody heard an answer, seed {seed}"
