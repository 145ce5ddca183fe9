"""One small declarative profile per file format."""
