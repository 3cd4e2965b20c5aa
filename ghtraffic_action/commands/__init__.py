"""The commands, one module each, with lazy imports."""
