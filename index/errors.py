"""The one exception whose text is meant for the user."""


class UserError(Exception):
    """Wrong input or a wrong setting: what is wrong, where, and how to mend it, in one line."""
