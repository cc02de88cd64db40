"""Verbs on arrays: pure kernels, numpy in, numpy out; they know no files, classes or columns."""
