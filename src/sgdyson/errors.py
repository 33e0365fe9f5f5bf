"""The one kind of error that is the user's to mend."""


class InvalidInputError(ValueError):
    """A value breaks a rule; the message names the value, the rule and the remedy.

    The command line prints it as one sentence, without a traceback, and exits with 2.
    """


class NoPredictionError(InvalidInputError):
    """Asked for a closed-form prediction where none is known."""


def require(condition: bool, message: str) -> None:
    """Raise `InvalidInputError` with `message` unless `condition` holds."""
    if not condition:
        raise InvalidInputError(message)


class NotConvergedError(RuntimeError):
    """A Markov chain that has not forgotten its start, or is too short to tell."""
