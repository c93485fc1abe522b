-- What an accept asks and writes, one statement after the other, with nothing around them. Each client has invitations of
-- its own, one for each turn, per in all; prepare.go makes them.
\set turn :turn + 1
\set o :client_id * :per + :turn
\set s 1 + :o % :senders
\set r 1 + (:s + :o / :senders) % :n
BEGIN;
SELECT member_id FROM inboxes WHERE member_id IN (md5('m' || :s)::uuid, md5('m' || :r)::uuid) ORDER BY member_id FOR NO KEY UPDATE;
SELECT id, sender_id, recipient_id, note, acquaintance, state, flagged, sent_at, accepted_at, reminders, reminded_at, listed_at, conversation_id
	FROM invitations WHERE id = md5('o' || :o)::uuid;
UPDATE invitations SET state = 'accepted', accepted_at = now() WHERE id = md5('o' || :o)::uuid AND state = 'pending';
DELETE FROM reinvite_bars WHERE sender_id = md5('m' || :s)::uuid AND recipient_id = md5('m' || :r)::uuid
	OR sender_id = md5('m' || :r)::uuid AND recipient_id = md5('m' || :s)::uuid;
INSERT INTO connections (owner_id, peer_id, connected_at)
	VALUES (md5('m' || :s)::uuid, md5('m' || :r)::uuid, now()), (md5('m' || :r)::uuid, md5('m' || :s)::uuid, now())
	ON CONFLICT DO NOTHING;
WITH bumped AS (
	UPDATE inboxes SET last_number = last_number + CASE WHEN member_id = md5('m' || :s)::uuid THEN 1 ELSE 0 END, last_change = last_change + 2
	WHERE member_id IN (md5('m' || :s)::uuid, md5('m' || :r)::uuid) RETURNING member_id, last_number, last_change
), notified AS (
	INSERT INTO notifications (id, member_id, sequence, category, actor_id, invitation_id, reminder, held, created_at)
	SELECT gen_random_uuid(), member_id, last_number, 'invitation_accepted', md5('m' || :r)::uuid, md5('o' || :o)::uuid, false, false, now()
	FROM bumped WHERE member_id = md5('m' || :s)::uuid
)
INSERT INTO feed_entries (id, member_id, number, kind, other_id, invitation_id)
	SELECT gen_random_uuid(), member_id, last_change - 1 + e.place, e.kind, md5('m' || :s)::uuid, md5('o' || :o)::uuid
	FROM bumped, (VALUES (0, 'invitation_closed'), (1, 'connection_added')) e(place, kind);
COMMIT;
