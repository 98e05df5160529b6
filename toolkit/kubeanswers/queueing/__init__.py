"""What Kueue would do with the workloads of a cluster: who is admitted, who waits, who has to leave."""
