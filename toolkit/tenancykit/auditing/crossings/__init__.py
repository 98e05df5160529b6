"""The ways from one tenant to another, a module each."""
