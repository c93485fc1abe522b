-- What a page of notifications reads, with who did it, in one statement. listed is how many members have some.
\set m random(1, :listed)
SELECT n.id, n.sequence, n.category, n.actor_id, n.invitation_id, n.message_id, n.publication_id, n.reminder, n.held, n.created_at, n.read_at,
	a.handle, a.name, a.headline, a.location, a.industry, a.company, a.photo_url, a.email, a.who_can_invite, a.who_sees_connections,
	a.who_sees_profile, a.share_email, a.in_block, a.suspended_at, a.erased_at
	FROM notifications n LEFT JOIN members a ON a.id = n.actor_id
	WHERE n.member_id = md5('m' || :m)::uuid ORDER BY n.sequence DESC LIMIT 21;
