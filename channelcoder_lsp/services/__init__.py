"""The use cases: asking, sessions, threads and the projects they belong to. They know ports, not adapters."""
