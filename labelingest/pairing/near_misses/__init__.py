"""Near misses: files that look like pairs but are not, and the change that would pair them."""
