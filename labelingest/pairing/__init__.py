"""Pair data files of a listing with their sidecars, without any request to the storage.

`rules` says how keys belong together, `pair` does it, `layouts` recognises the usual folder layouts,
and `near_misses` explains the files that did not pair.
"""
