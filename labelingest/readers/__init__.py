"""Stage 4: bytes of sidecars → source labels, in columns, with the place of every number."""
