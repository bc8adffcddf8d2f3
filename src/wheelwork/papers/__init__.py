"""What the papers compute: their runs, closed forms and claims."""
