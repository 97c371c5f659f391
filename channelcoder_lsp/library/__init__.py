"""Sessions for programs: the session guide in Python."""
