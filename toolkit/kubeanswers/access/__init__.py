"""Who may do what: RBAC, its escalation checks, the Node authorizer."""
