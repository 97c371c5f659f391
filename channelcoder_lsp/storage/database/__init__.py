"""Sessions in a database that SQLAlchemy knows: PostgreSQL and SQLite."""
