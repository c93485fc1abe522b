package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// pageSize is how many notifications a page of the list has; inboxSize how many are in an inbox.
const (
	pageSize  = 20
	inboxSize = 25
)

// prepare makes a database with members. Some have notifications, of invitations that were accepted; and there are the
// invitations that accept.sql accepts, each of another pair, too old to count against anybody's limit.
func (s *settings) prepare(ctx context.Context, pg *pgserver.Server, name string) (address string, err error) {
	address = pg.URL(name)
	if err := harness.CreateMembers(ctx, pg.URL("postgres"), address, name, s.members); err != nil {
		return "", err
	}
	return address, execAll(ctx, address, fmt.Sprintf(`
		INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, sent_at, state, accepted_at, flagged, listed_at, acquaintance, reminders)
			SELECT md5('l' || n || '-' || k)::uuid, a, b, least(a, b), greatest(a, b), at, 'accepted', at, false, at, 'unspecified', 0
			FROM (SELECT n, k, now() AS at, md5('m' || n)::uuid AS a, md5('m' || 1 + (n + k) %% %[1]d)::uuid AS b
				FROM generate_series(1, %[2]d) n, generate_series(1, %[3]d) k) raw;
		INSERT INTO notifications (id, member_id, sequence, reminder, category, held, actor_id, invitation_id, created_at)
			SELECT md5('n' || n || '-' || k)::uuid, md5('m' || n)::uuid, k, false, 'invitation_accepted', false,
				md5('m' || 1 + (n + k) %% %[1]d)::uuid, md5('l' || n || '-' || k)::uuid, now()
			FROM generate_series(1, %[2]d) n, generate_series(1, %[3]d) k;
		UPDATE members SET headline = 'Engineer at a company that makes things', photo_url = 'https://example.com/photos/' || handle || '.jpg'
			WHERE id IN (SELECT md5('m' || n)::uuid FROM generate_series(1, %[2]d + %[3]d) n);
		UPDATE inboxes SET last_number = %[3]d WHERE member_id IN (SELECT md5('m' || n)::uuid FROM generate_series(1, %[2]d) n);
		INSERT INTO invitations (id, sender_id, recipient_id, pair_lo, pair_hi, state, flagged, acquaintance, sent_at, reminders, listed_at)
			SELECT md5('o' || o)::uuid, a, b, least(a, b), greatest(a, b), 'pending', false, 'unspecified', at, 0, at
			FROM (SELECT o, md5('m' || s)::uuid AS a, md5('m' || 1 + (s + o / %[4]d) %% %[1]d)::uuid AS b, now() - interval '30 days' AS at
				FROM (SELECT o, 1 + o %% %[4]d AS s FROM generate_series(0, %[5]d - 1) o) numbered) raw`,
		s.members, s.listed(), inboxSize, s.senders, s.clients*s.turns()), "VACUUM ANALYZE", "CHECKPOINT")
}

// listed is how many members have notifications from the start.
func (s *settings) listed() int { return min(listedMost, s.members/2) } //nolint:mnd // half

const listedMost = 2000

// turns is how many invitations each client of pgbench accepts: about as many as it gets to in a phase.
func (s *settings) turns() int { return max(1, int(turnsPerSecond*s.phase.Seconds())) }

const turnsPerSecond = 200

func execAll(ctx context.Context, address string, statements ...string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
