"""Class lists of data sets: read them, choose the nearest, and compare them with an ontology."""
