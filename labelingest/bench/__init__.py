"""Measurements of a run: stages in time and memory, saved results, and folders to measure on."""
