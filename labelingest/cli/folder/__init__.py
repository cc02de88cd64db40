"""`labelingest folder …`: synced folders on the command line."""
