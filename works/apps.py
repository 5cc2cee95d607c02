from django.apps import AppConfig


class WorksConfig(AppConfig):
    name = "works"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from works.sync import checks  # noqa: F401 - registers them
