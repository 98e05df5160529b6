"""Admission policies in CEL, evaluated as the API server does."""
