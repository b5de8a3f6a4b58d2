"""Networks: pure flax.linen modules."""
