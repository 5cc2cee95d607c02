from django.db import migrations

# A bijection on 35-bit numbers, written in Crockford's base 32: see works/models/base.py.
FORWARD = """
create function works_pid(id bigint) returns text language sql immutable strict parallel safe as $$
  select string_agg(
    substr('0123456789abcdefghjkmnpqrstvwxyz',
           (((id * 98765431 + 12345678901) % 34359738368 >> (5 * i)) & 31)::int + 1, 1),
    '' order by i desc)
  from generate_series(0, 6) i
$$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FORWARD, "drop function works_pid(bigint);")]
