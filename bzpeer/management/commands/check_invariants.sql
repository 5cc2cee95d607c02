-- What must be true whatever happens: each query returns the rows that break it, so none is wanted.
-- A line of two dashes and "I<n> name:" begins a query, and says what must be true. The names are kept:
-- dashboards and alarms know them.

-- I2 followers_of_researchers: the count beside a researcher is that of those who follow
select a.id, a.followers_count, count(f.id) from works_author a left join profiles_follow f on f.author_id = a.id
group by a.id having a.followers_count <> count(f.id);

-- I2 followers_of_topics: the count beside a topic is that of those who follow
select t.id, t.followers_count, count(f.id) from works_topic t left join profiles_follow f on f.topic_id = t.id
group by t.id having t.followers_count <> count(f.id);

-- I2 followers_of_institutions: the count beside an institution is that of those who follow
select i.id, i.followers_count, count(f.id) from works_institution i
left join profiles_follow f on f.institution_id = i.id group by i.id having i.followers_count <> count(f.id);

-- I2 one_follow_per_pair: nobody follows the same record twice
select user_id, author_id, topic_id, institution_id, count(*) from profiles_follow group by 1, 2, 3, 4 having count(*) > 1;

-- I3 one_owner_per_researcher: one claim at most is held on a researcher
select author_id, count(*) from profiles_claim where state in ('approved', 'disputed') group by 1 having count(*) > 1;

-- I3 one_researcher_per_owner: a member holds one claim at most
select user_id, count(*) from profiles_claim where state in ('approved', 'disputed') and user_id is not null
group by 1 having count(*) > 1;

-- I3 claimed_says_who_is_held: a researcher is shown as claimed exactly while a claim is held
select a.id, a.claimed from works_author a
where a.claimed <> exists (
  select from profiles_claim c where c.author_id = a.id and c.state in ('approved', 'disputed'));

-- I4 one_open_invitation_per_pair: one invitation at most waits between two people in one direction
select sender_id, recipient_id, count(*) from profiles_invitation where state = 'pending' group by 1, 2 having count(*) > 1;

-- I4 open_invitations_are_undecided: an invitation that waits has no decision
select id, decided_at from profiles_invitation where state = 'pending' and decided_at is not null;

-- I5 messages_are_gapless: the messages of a conversation count from 1 without gaps, and it knows how many there are
select c.id, c.messages_count, count(m.id), max(m.seq) from profiles_conversation c
left join profiles_message m on m.conversation_id = c.id
group by c.id having c.messages_count <> count(m.id) or coalesce(max(m.seq), 0) <> count(m.id);

-- I5 messages_are_owned: whoever wrote a message is a participant
select m.id, m.sender_id from profiles_message m
where m.sender_id is not null and not exists (
  select from profiles_participant p where p.conversation_id = m.conversation_id and p.user_id = m.sender_id);

-- I6 one_notice_per_event: a member hears of an event once
select recipient_id, event_key, count(*) from profiles_notification group by 1, 2 having count(*) > 1;

-- I6 notices_of_messages_have_one: a notice of a message belongs to one that exists
select n.id, n.event_key from profiles_notification n
where n.event_key like 'message:%%' and not exists (
  select from profiles_message m where m.id::text = substr(n.event_key, 9));

-- I6 invitations_are_told: whoever has a waiting invitation was told of it, across no block
select i.id from profiles_invitation i
where i.state = 'pending'
  and not exists (
    select from profiles_notification n where n.recipient_id = i.recipient_id and n.event_key = 'invitation:' || i.id)
  and not exists (
    select from profiles_block b where (b.blocker_id, b.blocked_id) in
      ((i.recipient_id, i.sender_id), (i.sender_id, i.recipient_id)));

-- I6 one_mail_per_notice: a notice is mailed once at most
select notification_id, count(*) from profiles_outgoingmail where notification_id is not null group by 1 having count(*) > 1;

-- I7 no_work_is_forgotten: what is marked is worked off soon, or tried again; nothing was given up
select id, what, object_id, attempts, error from works_mark
where dead or run_at < now() - make_interval(secs => %(waiting)s);

-- I10 trust_parts_make_the_value: a trust value is the sum of its parts, and each part within its cap
select t.author_id, t.value from trust_trustscore t cross join lateral (
  select coalesce(sum((part ->> 'points')::int), 0) as points, bool_or((part ->> 'points')::int > (part ->> 'cap')::int) as over
  from jsonb_array_elements(t.parts) part) s
where t.value <> s.points or coalesce(s.over, false);

-- I10 timeline_ends_at_the_score: the last change told of a score led to what stands
select t.author_id, t.value, t.level, c.value, c.level from trust_trustscore t cross join lateral (
  select c.value, c.level from trust_trustchange c where c.author_id = t.author_id order by c.at desc, c.id desc limit 1) c
where (t.value, t.level) <> (c.value, c.level);

-- I11 decisions_are_audited: every decision of a moderator about a claim has one line in the audit trail
select s.claim_id, s.to_state, s.times, coalesce(a.times, 0) from (
  select claim_id, to_state, count(*) as times from profiles_claimstep
  where by = 'moderator' and to_state in ('approved', 'rejected', 'disputed', 'revoked') group by 1, 2) s
left join (
  select subject, data ->> 'to' as to_state, count(*) as times from profiles_auditentry
  where by = 'moderator' and action like 'claim.%%' group by 1, 2) a
on a.subject = 'claim:' || s.claim_id and a.to_state = s.to_state
where coalesce(a.times, 0) <> s.times;

-- I11 logs_are_append_only: the database refuses to change the ledger, claims' steps, histories and the audit trail
select wanted.name from unnest(array['trust_evidence', 'profiles_claimstep', 'profiles_change', 'profiles_auditentry']) wanted(name)
where not exists (
  select from pg_trigger t where t.tgrelid = wanted.name::regclass and t.tgenabled <> 'D'
    and t.tgname = wanted.name || '_append_only');
