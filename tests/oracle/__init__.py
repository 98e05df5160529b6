"""The library's answers beside those a real control plane recorded: ``python -m tests.oracle FILE... [--json]``."""
