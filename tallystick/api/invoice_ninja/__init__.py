"""The API for the service that stands between this site and Invoice Ninja, and for staff who look
after it."""
