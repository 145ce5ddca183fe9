"""What leaves the house: lists, maps."""
