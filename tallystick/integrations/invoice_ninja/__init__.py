"""Invoice Ninja by either route: the words for a link's state, the attributes of users and products, the
relay's callbacks, and what the commands, the admin and the API share."""
