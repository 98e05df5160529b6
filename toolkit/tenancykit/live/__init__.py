"""Asks the API servers of a design's clusters: would they take the export, and is it what they enforce?"""
