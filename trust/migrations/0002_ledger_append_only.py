from django.db import migrations

# The ledger is append-only: revocation and expiry are new rows. Truncating is left to the owner of the
# table (tests, restores).
FORWARD = """
create function trust_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'trust_evidence is append-only: add a row that ends this one'
    using errcode = 'restrict_violation';
end $$;
create trigger trust_evidence_append_only before update or delete on trust_evidence
  for each row execute function trust_refuse_change();
"""
BACKWARD = """
drop trigger trust_evidence_append_only on trust_evidence;
drop function trust_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("trust", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
