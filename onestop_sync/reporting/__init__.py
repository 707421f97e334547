"""Reports made of a store, and written as text, spreadsheets, PDF and JSON."""
