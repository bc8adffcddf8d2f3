"""Stationary distributions, solved directly: on orbits that are circles, or on the plane."""
