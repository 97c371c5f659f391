"""The least that a pygls server can be: what ours is held against. Its hover is as long as its position says."""

from lsprotocol import types
from pygls.lsp.server import LanguageServer

TEXT = "It adds *one* after the other, and\nreturns `total`; see below.\n" * 1000
server = LanguageServer("bare-server", "1")


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params: types.HoverParams) -> types.Hover | None:
    if not (size := params.position.character):
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, TEXT[:size])
    return types.Hover(text, types.Range(params.position, params.position))


if __name__ == "__main__":
    server.start_io()
