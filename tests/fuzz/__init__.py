"""Inputs nobody meant to write, put before every reader and command: none may answer with a traceback or not at all."""
