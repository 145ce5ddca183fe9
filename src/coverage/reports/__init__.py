"""Official papers: a snapshot told to those who sign and to those who must act."""
