from django.db import migrations

# A claim's steps, the history of records and the audit trail are append-only. The one change that is let
# through takes the name of a deleted account off a row. Truncating is left to the owner of the tables.
TABLES = ("profiles_claimstep", "profiles_change", "profiles_auditentry")
FUNCTION = """
create function profiles_refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.actor_id is null
     and to_jsonb(old) - 'actor_id' = to_jsonb(new) - 'actor_id' then
    return new;
  end if;
  raise exception '% is append-only: add a row', tg_table_name using errcode = 'restrict_violation';
end $$;
"""
FORWARD = FUNCTION + "".join(
    f"create trigger {table}_append_only before update or delete on {table}"
    " for each row execute function profiles_refuse_change();\n"
    for table in TABLES
)
BACKWARD = "".join(f"drop trigger {table}_append_only on {table};\n" for table in TABLES) + (
    "drop function profiles_refuse_change();"
)


class Migration(migrations.Migration):
    dependencies = [("profiles", "0003_claims_history_curation")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
