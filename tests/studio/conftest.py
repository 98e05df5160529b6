from __future__ import annotations

from typing import Any

import pytest

import tenancykit as tk
from kubeanswers.errors import Fault
from tenancykit.studio.edits import set_value
from tenancykit.studio.session import Session

SMALL = """\
schema: tenancykit/scenario/v1
name: small
title: Two teams and a customer
tenants:
  classes:
    - id: team            # the home team
      kind: team
      count: 2
      workloads: [{template: service}]
      requirements: {isolation: L1}
    - id: guest
      kind: customer
      count: 3
      workloads:
        - {template: service, replicas: 2}
workloads:
  - id: service
    kind: service
    replicas: 1
infrastructure:
  sites: [{id: here, provider: aws, region: us-east-1, jurisdiction: us}]
  nodes: [{type: aws_m7i_4xlarge}]
weights: {isolation: 0.4, effort: 0.2, operations: 0.2, cost: 0.2}
stakeholders:
  finance: {isolation: 0.0, effort: 0.0, operations: 0.0, cost: 1.0}
"""


@pytest.fixture(scope="session")
def measured() -> tk.Study:
    """The small scenario, measured once for all tests."""
    return tk.compare(tk.parse_scenario(SMALL))


@pytest.fixture
def session(measured: tk.Study) -> Session:
    """A session about the small scenario that has nothing left to measure."""
    return Session(measured.scenario, study=measured)


def set_field(session: Session, path: tuple[str | int, ...], value: Any) -> tuple[Fault, ...]:
    return session.revise(lambda text: set_value(text, path, value))
