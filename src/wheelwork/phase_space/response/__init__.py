"""Two-time correlations, spectra and slow rates from the Fokker–Planck generator."""
