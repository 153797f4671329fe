"""Stands in for the `outputs` app, whose one model django-invoicing names in a relation."""
