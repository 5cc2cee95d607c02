"""What a service of profiles may refuse; the text is written for the person who asked."""


class ProfilesError(Exception):
    """Base of all refusals."""

    @property
    def message(self) -> str:
        return str(self)


class TooMany(ProfilesError):
    """A limit per person and time is used up."""


class FollowError(ProfilesError):
    pass


class PreferenceError(ProfilesError):
    pass


class ClaimError(ProfilesError):
    pass


class ClaimStateError(ClaimError):
    """The claim is not in a state from which this step leads."""


class EvidenceNeeded(ClaimError):
    """No route decides, and nothing was given that a moderator could look at."""


class ClaimConflict(ClaimError):
    """Another claim holds this author or this member."""


class InvitationError(ProfilesError):
    pass


class ClaimNeeded(InvitationError):
    """Only researchers who hold a page, undisputed and not hidden, invite."""


class IntroductionError(ProfilesError):
    pass


class ConversationError(ProfilesError):
    pass


class CurationError(ProfilesError):
    pass


class AccountError(ProfilesError):
    pass


class ModerationError(ProfilesError):
    pass


class RepresentativeError(ProfilesError):
    pass


class VouchError(ProfilesError):
    pass


class OwnerError(ProfilesError):
    """A change of one's own page that cannot be made so."""


class ChangedSince(OwnerError):
    """What is to be undone was changed again later."""


class RegroupingError(ProfilesError):
    """Two records cannot be joined so, or one divided so."""
