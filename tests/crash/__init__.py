"""A working day that is killed, refused by the disk, and cut from power at each of its calls to the disk."""
