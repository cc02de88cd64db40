"""Catalogue of problem codes: all that is known of each code, by family, as one value."""
