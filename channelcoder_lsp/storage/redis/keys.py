"""What is under which key.

All of a tenant's keys begin with ``{channelcoder:TENANT}:``. What stands in the braces decides on which node of a
cluster a key is, so one tenant's sessions are on one node, together with the index of their names: whatever changes a
session does so in one step, on a cluster too, and a cluster spreads tenants, not one tenant's sessions. The same
beginning is what an access control list of the server names to keep one tenant's users from another's sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

_PARTS = ("meta", "base", "head", "records", "contents", "wanted", "turns", "asking")
"""A session's keys, in the order in which the scripts have them.

``meta``
    hash: name, generation, seq, row (JSON), fence, holder, held_until.
``base``, ``head``
    hashes: text, and the seq that it is at.
``records``
    stream: a record's seq is its id, so that a range of them is found without looking at the others.
``contents``, ``wanted``
    hash of digest to bytes, and when each was last wanted.
``turns``, ``asking``
    who waits for the lease: since when, and when last heard of.
"""


@dataclass(frozen=True)
class Keys:
    """The keys of one tenant."""

    tenant: str

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        return f"{{channelcoder:{quote(self.tenant, safe='')}}}:"

    @property
    def names(self) -> str:
        """A hash of each session's name to what its keys are known by."""
        return f"{self.prefix}names"

    @property
    def channel(self) -> str:
        """Where changes are told: "key generation seq name", and "key - - name" of a name that is free."""
        return f"{self.prefix}changes"

    def meta(self, session: str) -> str:
        """The key of what there is to know about a session without its history."""
        return f"{self.prefix}{session}:meta"

    def contents(self, session: str) -> str:
        """The key of the texts that are kept with a session."""
        return f"{self.prefix}{session}:contents"

    def of(self, session: str) -> list[str]:
        """All that a session has, and at last the names: what each script is given."""
        return [*(f"{self.prefix}{session}:{part}" for part in _PARTS), self.names]
