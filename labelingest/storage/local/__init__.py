"""Storage paths that are folders on this machine."""
