"""YOLO label files → source labels."""
