"""Power grids of few quanta: the master equation itself."""
