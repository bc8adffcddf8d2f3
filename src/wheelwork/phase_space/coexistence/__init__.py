"""States that coexist in a potential or in energy: weights, barriers and switching rates."""
