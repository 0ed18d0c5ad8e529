"""How this is usually built: one Celery task per recipient. For comparison only."""
