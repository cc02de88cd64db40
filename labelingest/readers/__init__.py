"""Stage 3: bytes of sidecars → source labels, in columns, with the place of every number."""
