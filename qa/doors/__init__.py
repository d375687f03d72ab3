"""Who may come in, and how often: passwords, tokens, names of the server, limits. Importing it costs nothing."""
