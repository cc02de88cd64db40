"""A sync: list, compare with the state, convert what changed, record what was done."""
