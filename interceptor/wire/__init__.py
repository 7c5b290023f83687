"""The API's JSON, one module an endpoint family, as msgspec views.

A module here is a namespace: `chat.Request`, `chat.Chunk`, `chat.fold`. Its Structs name only
the fields that a `Record` needs, each with a default; everything else on the wire is skipped.
JSON is a tree, so the collector need not look for cycles among them (`gc=False`): a long stream
makes hundreds of thousands.
"""

__all__: list[str] = []
