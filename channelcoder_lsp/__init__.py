"""ChannelCoder for editors: ask Claude about code, in sessions that belong to the project folder."""

__version__ = "0.1.0"
