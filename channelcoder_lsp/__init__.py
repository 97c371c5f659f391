"""ChannelCoder for editors."""
