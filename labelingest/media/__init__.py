"""What the bytes of a data file say of themselves, without decoding it."""
