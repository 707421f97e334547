"""Bytes, forms and reports that must not change unnoticed."""
