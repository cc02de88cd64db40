"""Many values without a Python object for each: array types, keys, texts, slices, fingerprints."""
