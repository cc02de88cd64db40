"""Custom metadata: a JSON object beside a data file, and the schema of its keys.

::

    types.py    what a key may be declared as, in the wire's words
    schema.py   the schema: read, check, change, write
    flat_schema.py      import: also the platform's older, flat schema
    values.py   is a value what its key is declared as?
    check.py    one metadata sidecar → what is kept of it, and its problems
    sidecars.py   all metadata sidecars of a storage path, in batches
"""
