"""Stage 7: annotations → bytes of label rows, one for each data unit."""
