"""The explaining path: one label row at a time, every defect named with its JSON pointer."""
