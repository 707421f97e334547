"""Real processes on real ports, killed at bad moments."""
