"""A field file → measurements and outcomes, every row accounted for."""
