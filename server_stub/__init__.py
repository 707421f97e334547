"""The server of a hub, a district or a province: the same store with an HTTP front."""
