"""JSON text → document: limits, repeated keys, and the sentence that says why a text has none."""
