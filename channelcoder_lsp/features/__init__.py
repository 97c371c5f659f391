"""The LSP face: one file for each LSP method or family. Handlers are thin; the state is in the services."""
