"""Figures and the baselines beside them. Programs, not tests: nothing here asserts on time (``./run bench``)."""
