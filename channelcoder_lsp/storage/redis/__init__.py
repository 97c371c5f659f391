"""Sessions in Redis, or in what speaks its protocol and runs its scripts (Valkey)."""
