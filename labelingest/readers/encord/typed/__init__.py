"""The typed path: label rows without a defect, many at once, checked while decoding."""
