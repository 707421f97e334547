"""Real processes in a real pseudo-terminal: the bytes that an input method sends, and what arrives."""
