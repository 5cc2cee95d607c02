from django.contrib.auth.management import create_permissions
from django.db import migrations

# As accounts.MODERATOR_PERMISSIONS was when this migration was written.
PERMISSIONS = [
    "view_user",
    "view_claim",
    "change_claim",
    "view_curationrequest",
    "change_curationrequest",
    "view_report",
    "change_report",
    "view_invitation",
    "view_notification",
]


def make_group(apps, schema_editor):
    # Permissions are otherwise made after all migrations, too late for this one.
    config = apps.get_app_config("profiles")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name="moderators")
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="profiles", codename__in=PERMISSIONS
    )
    group.permissions.set(permissions)


def remove_group(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="moderators").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_group, remove_group)]
