"""The commune's client: a terminal screen and a command over the library."""
