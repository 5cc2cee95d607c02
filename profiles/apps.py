from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    name = "profiles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from profiles.accounts import checks, ownership  # noqa: F401 - checks register themselves
        from profiles.services import identity_proofing, preferences
        from profiles.services.claims import listening

        ownership.connect()
        listening.connect()
        preferences.connect()
        identity_proofing.connect()
