"""Properties of data files from their bytes, without decoding them."""
