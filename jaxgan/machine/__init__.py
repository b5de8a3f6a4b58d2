"""What the hardware and the process need."""
