"""Imports of other tools' files: reading, checking, planning, undoing."""
