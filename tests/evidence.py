"""A flaw as whoever keeps a file of published ones writes it."""

from __future__ import annotations

from typing import Final

FLAW: Final = """\
meta:
  design_choices: {namespace-rbac: x, dedicated-cluster: y}
entries:
- id: NEW-1
  title: a new escape
  year: 2026
  component: runc
  boundary: container-runtime/host
  attacker_position: tenant-pod
  effect: node-root
  impact: [confidentiality]
  shared_component: [node]
  source_url: https://example.com/advisory
"""
"""One entry with all that is required."""
