"""The nouns: frozen column sets; no input or output, no formats."""
