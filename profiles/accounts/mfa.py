"""Second factors and passkeys in our words."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser


class MfaAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This does not fit. Try again with a fresh code or the right key.",
        "cannot_generate_recovery_codes": "Set up an application or a passkey first: the codes stand in for them.",
    }

    def _get_site_name(self) -> str:
        return "BZPEER"

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if not number else f"Passkey {number + 1}"
