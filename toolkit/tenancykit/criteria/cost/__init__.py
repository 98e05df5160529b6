"""Service cost: place the workloads, then price what they stand on."""
