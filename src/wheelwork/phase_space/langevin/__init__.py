"""Trajectories of the Langevin equation: noise, steps, statistics, checkpoints."""
