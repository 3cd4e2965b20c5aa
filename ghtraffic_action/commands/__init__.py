"""The commands, one module each, with lazy imports for a fast --help."""
