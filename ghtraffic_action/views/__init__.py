"""How results are shown: terminal, job summary, workflow commands."""
