"""Custom metadata: a JSON object beside a data file, and the schema of its keys.

::

    types.py         types that a key may be declared as, in the words of the wire format
    schema_json.py   schema files: JSON to types, with the place of a defect
    schema.py        the schema: read, check, change, write
    flat_schema.py   import of a schema, also in the platform's older, flat format
    values.py        check of a value against the type of its key
    check.py         check of one metadata sidecar: accepted values and problems
    sidecars.py      check of all metadata sidecars of a storage path, in batches
"""
