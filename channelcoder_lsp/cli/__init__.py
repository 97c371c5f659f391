"""The commands: ``channelcoder-lsp``."""
