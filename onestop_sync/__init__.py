"""Offline-first documents: signed events, their fold, and the protocol that carries them."""
