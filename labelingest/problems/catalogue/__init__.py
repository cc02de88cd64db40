"""Catalogue of problem codes: everything that is known about each code, as one value, by family."""
