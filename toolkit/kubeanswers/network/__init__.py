"""Network policies of every kind in one form, asked for one connection or for all at once."""
