"""The typed path: clean label rows, many at once, checked while decoding."""
