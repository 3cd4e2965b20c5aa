"""The commands, one module each. They import what they run only when they run, so that --help is quick."""
