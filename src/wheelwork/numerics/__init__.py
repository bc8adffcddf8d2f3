"""Numerical tools that know no physics: random numbers, statistics of samples, look-up tables."""
