"""The upper floor: what people report to us."""
