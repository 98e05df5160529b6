"""Pods to machines, over plain numbers: what fits where, what to buy, and how close to the bound that is."""
