"""The version, for those that must not load the public names."""

__version__ = "0.1.0"
