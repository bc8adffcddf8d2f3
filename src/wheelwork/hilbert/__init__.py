"""Open quantum systems in Hilbert space: Lindblad equations on the matrix elements that matter."""
