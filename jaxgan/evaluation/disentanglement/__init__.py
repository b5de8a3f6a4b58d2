"""How well the dimensions of a representation stand for separate factors of variation."""
