"""How this is usually built: one Celery task per recipient. Measured, never imported."""
