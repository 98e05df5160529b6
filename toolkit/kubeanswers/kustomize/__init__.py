"""Kustomize bases and overlays to the objects they build."""
