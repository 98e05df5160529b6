"""What kube-scheduler would do with the pods of a cluster, by its published rules."""
