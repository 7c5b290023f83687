"""Vocabularies of span attributes: each a pure function from a record to attributes."""

__all__: list[str] = []
