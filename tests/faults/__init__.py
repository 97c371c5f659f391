"""What must hold whatever dies."""
