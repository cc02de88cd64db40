"""From class numbers to ontology objects: the ontology file, the class map, a starter ontology."""
