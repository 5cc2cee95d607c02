"""What the claimant may read of a check: all of it, but for what would tell that a co-author said no."""

from profiles.claims.findings import Outcome


def for_claimant(check_name: str, outcome: str, sentence: str) -> tuple[str, str] | None:
    """Return the outcome and the sentence as the claimant reads them; None for what only moderators learn.

    Who is asked answers freely because a denial looks like silence: everywhere, in exports too.
    """
    if check_name == "denied":
        return None
    if check_name == "confirmed" and outcome == Outcome.NOT_MET:  # how many have not answered would tell, too
        return outcome, "No co-author has confirmed it yet."
    if check_name == "contradiction":  # quotes what speaks against the claim
        return Outcome.PARTLY, "A moderator looks at this first."
    return outcome, sentence
