"""Trajectories of amplitude equations with noise: steps, statistics, means with their errors."""
