"""The commands that do work; each imports what it needs when it is called."""
