"""What holds for every file: imports, names, docstrings, nothing of this machine."""
