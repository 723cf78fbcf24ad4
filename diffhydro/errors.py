"""The one exception that is the user's to mend.

Library code raises plain `ValueError` for an argument it cannot accept. Code that reads what a
person wrote (a case file, a config, an option) raises `InputError`, and the command line turns
that into one paragraph and exit status 2 instead of a traceback.
"""

__all__ = ["InputError"]


class InputError(ValueError):
    """Say that something a person wrote cannot be used.

    The message is one paragraph: what was expected, what came, and what to do.
    """
