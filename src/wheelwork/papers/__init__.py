"""Results of the papers: runs, closed forms and claims."""
