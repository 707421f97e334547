"""Pure functions: no file, no clock, no network."""
