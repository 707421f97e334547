"""Many seeded runs over a simulated network, disk and clock."""
