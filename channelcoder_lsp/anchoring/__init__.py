"""Finding a place in code again. Pure functions; nothing here knows about editors or files."""

from channelcoder_lsp.anchoring.align import UNMATCHED
from channelcoder_lsp.anchoring.certain import certain, unique_in_order
from channelcoder_lsp.anchoring.edits import end_of_insert, shift, shift_all
from channelcoder_lsp.anchoring.quote import find_exact
from channelcoder_lsp.anchoring.relocation import LineMap, Relocation, relocate
from channelcoder_lsp.anchoring.symbols import symbol_at

__all__ = [
    "UNMATCHED",
    "LineMap",
    "Relocation",
    "certain",
    "end_of_insert",
    "find_exact",
    "relocate",
    "shift",
    "shift_all",
    "symbol_at",
    "unique_in_order",
]
