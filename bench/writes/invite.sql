-- What an invite writes and asks, in the same four statements, with nothing around them. n is the number of members.
\set s random(1, :n)
\set r random(1, :n)
BEGIN;
SELECT member_id FROM inboxes WHERE member_id IN (md5('m' || :s)::uuid, md5('m' || :r)::uuid) ORDER BY member_id FOR NO KEY UPDATE;
INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, flagged, acquaintance, sent_at, reminders, listed_at)
	VALUES (gen_random_uuid(), md5('m' || :s)::uuid, md5('m' || :r)::uuid, least(md5('m' || :s)::uuid, md5('m' || :r)::uuid),
		greatest(md5('m' || :s)::uuid, md5('m' || :r)::uuid), 'pending', false, 'unspecified', now(), 0, now())
	ON CONFLICT (pair_lo, pair_hi) WHERE state IN ('pending', 'ignored', 'declined') DO NOTHING;
SELECT m.erased_at, m.who_can_invite, m.email, bar.declined_at, bar.withdrawn_at, res.restricted_until,
	(SELECT COUNT(*) FROM connections WHERE owner_id = md5('m' || :s)::uuid AND peer_id = m.id),
	(SELECT COUNT(*) FROM blocks WHERE blocker_id = md5('m' || :s)::uuid AND blocked_id = m.id)
		+ (SELECT COUNT(*) FROM blocks WHERE blocker_id = m.id AND blocked_id = md5('m' || :s)::uuid),
	(SELECT COUNT(*) FROM invitations WHERE sender_id = md5('m' || :s)::uuid AND sent_at > now() - interval '7 days'),
	(SELECT COUNT(*) FROM invitations WHERE sender_id = md5('m' || :s)::uuid AND state IN ('pending', 'ignored', 'declined'))
	FROM members m LEFT JOIN reinvite_bars bar ON bar.sender_id = md5('m' || :s)::uuid AND bar.recipient_id = m.id
	LEFT JOIN restrictions res ON res.member_id = md5('m' || :s)::uuid WHERE m.id = md5('m' || :r)::uuid;
WITH bumped AS (
	UPDATE inboxes SET last_number = last_number + CASE WHEN member_id = md5('m' || :r)::uuid THEN 1 ELSE 0 END, last_change = last_change + 1
	WHERE member_id IN (md5('m' || :s)::uuid, md5('m' || :r)::uuid) RETURNING member_id, last_number, last_change
), notified AS (
	INSERT INTO notifications (id, member_id, sequence, category, actor_id, invitation_id, reminder, held, created_at)
	SELECT gen_random_uuid(), member_id, last_number, 'invitation_received', md5('m' || :s)::uuid, gen_random_uuid(), false, false, now()
	FROM bumped WHERE member_id = md5('m' || :r)::uuid
)
INSERT INTO feed_entries (id, member_id, number, kind, other_id, invitation_id)
	SELECT gen_random_uuid(), member_id, last_change, 'invitation_added', md5('m' || :s)::uuid, gen_random_uuid() FROM bumped;
COMMIT;
