"""The national portal from a server: what is sent there, and what citizens filed there.

- `rows`: the tables beside the store's own
- `vault`: secrets in those tables, sealed at rest
- `source`: a dossier of the store, as `onestop_sync.dossier.portal` takes it
- `line`: one call over HTTPS
- `queue`: which dossiers changed, and each brought to the portal
- `integrations`: who may file drafts here, with which token and keys
- `filing`, `endpoint`: drafts written into the store, each once; over HTTP
- `status`: the file of statuses that citizens look up
- `commands`: ``onestop-server portal``
"""
