"""ResourceQuota and LimitRange as the API server enforces them."""
