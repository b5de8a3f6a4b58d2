"""How objectives and networks become a train step."""
