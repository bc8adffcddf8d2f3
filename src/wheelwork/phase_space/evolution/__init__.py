"""W(x, p) in time, by the Fokker–Planck equation."""
