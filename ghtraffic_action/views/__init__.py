"""Output of results: terminal, job summary, workflow commands."""
