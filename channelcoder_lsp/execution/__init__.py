"""Programs that are run beside Claude: version control."""
