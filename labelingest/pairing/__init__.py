"""Pairing: which sidecar belongs to which data file of a listing; no request is made for it.

`rules` says how keys belong together, `pair` does it, `layout` recognises the usual ones, and
`near_misses` explains what did not pair.
"""
