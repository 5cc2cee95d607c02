from django.db import migrations

# With the name of a deleted account its own words may go as well: what it wrote about itself (before, after, reason).
# Everything else of a row stays as it was, and no row goes.
FUNCTION = """
create or replace function profiles_refuse_change() returns trigger language plpgsql as $$
declare
  kept text[] := array['actor_id'];
begin
  if tg_op = 'UPDATE' and new.actor_id is null then
    if tg_table_name = 'profiles_change' then
      if (old.actor_id is not null or old."by" = 'system') and old.kind in ('bio', 'links', 'availability', 'photo')
         and new.before = '{}' and new.after = '{}' and new.reason = '' then
        kept := kept || array['before', 'after', 'reason'];
      end if;
    end if;
    if to_jsonb(old) - kept = to_jsonb(new) - kept then
      return new;
    end if;
  end if;
  raise exception '% is append-only: add a row', tg_table_name using errcode = 'restrict_violation';
end $$;
"""
BACK = """
create or replace function profiles_refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.actor_id is null
     and to_jsonb(old) - 'actor_id' = to_jsonb(new) - 'actor_id' then
    return new;
  end if;
  raise exception '% is append-only: add a row', tg_table_name using errcode = 'restrict_violation';
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("profiles", "0005_vouches_preferences_recommendations")]
    operations = [migrations.RunSQL(FUNCTION, BACK)]
