"""Version of the package: the build reads it here, and no process reads the metadata for it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
