"""What can go wrong between us and a source; each message is a sentence for people."""


class SyncError(Exception):
    """A question to a source came to nothing."""


class NotFound(SyncError):
    """The source does not know the record."""


class BadAnswer(SyncError):
    """What the source sent is not what was asked for; asking again at once would not help."""


class TryLater(SyncError):
    """The source is away or busy. seconds: as long as it asks to be left alone, None where it does not say."""

    def __init__(self, sentence: str, seconds: float | None = None, at_once: bool = True) -> None:
        super().__init__(sentence)
        self.seconds = seconds
        self.at_once = at_once  # worth asking again within the same minute


class NoTurn(SyncError):
    """Our turn at a source comes only later: nobody's failure."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class BadIdentifier(ValueError):
    """The text names nothing that could be asked for."""


class Refused(Exception):
    """A request for a refresh that is not taken now; the message says why and until when."""
