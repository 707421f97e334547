"""The store's inside: tables, engines, and what is done to them. Use `onestop_sync.store`."""
