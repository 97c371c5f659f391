"""Sessions that several machines share, on top of a :class:`~channelcoder_lsp.storage.shared.backend.Backend`."""
