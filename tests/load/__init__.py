"""Many machines at once against several server processes on one PostgreSQL."""
