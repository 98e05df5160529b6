"""Strict, offline validation of Kubernetes objects."""
