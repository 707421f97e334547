"""Reports on the work of the one-stop desks: periods, counting, shares and marks; pure."""
