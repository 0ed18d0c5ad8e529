"""The roof: settings, addresses, the Celery app, and what joins the floors."""
