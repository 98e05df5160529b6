"""Builders of Kubernetes objects, a module for each concern."""
