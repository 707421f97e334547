"""What every store and transport promises, on SQLite and on PostgreSQL."""
