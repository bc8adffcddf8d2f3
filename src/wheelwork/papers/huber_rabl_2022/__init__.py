"""The power grids of Huber and Rabl: what the figures show, and how a network is drawn.

J. Huber, P. Rabl, Active energy transport and the role of symmetry breaking in microscopic power
grids (2022).
"""
