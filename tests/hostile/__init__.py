"""A hostile relay: it is certified as a machine, forwards what is honest, and spoils one thing a packet."""
