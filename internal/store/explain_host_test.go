package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/report"
	"github.com/acquaint/acquaint/internal/store"
)

// populateHost adds what the host application's side works on, enough of it that a sequential scan would be a bad plan.
const populateHost = `
INSERT INTO publications (id, key, fingerprint, title, published, published_at, actor_id)
	SELECT md5('p' || n)::uuid, 'k' || n, '', 't', 1, now(), md5('m' || n)::uuid FROM generate_series(1, 5000) n;
INSERT INTO notifications (id, member_id, sequence, category, created_at, publication_id, actor_id)
	SELECT md5('np' || n)::uuid, md5('m' || n)::uuid, 100, 'like', now(), md5('p' || n)::uuid, md5('m' || n)::uuid FROM generate_series(1, 5000) n;
INSERT INTO reports (id, reporter_id, reported_id, reason, created_at, resolved_at)
	SELECT md5('r' || n)::uuid, md5('m' || n)::uuid, md5('m' || n + 1)::uuid, 'spam', now() - n * interval '1 minute', CASE WHEN n % 50 > 0 THEN now() END
	FROM generate_series(1, 5000) n;
INSERT INTO reinvite_bars (sender_id, recipient_id) SELECT md5('m' || n)::uuid, md5('m' || n + 1)::uuid FROM generate_series(1, 5000) n;
INSERT INTO flags (recipient_id, sender_id, flagged_at) SELECT md5('m' || n)::uuid, md5('m' || n + 1)::uuid, now() FROM generate_series(1, 5000) n;
INSERT INTO blocks (blocker_id, blocked_id, blocked_at) SELECT md5('m' || n)::uuid, md5('m' || n + 1)::uuid, now() FROM generate_series(1, 5000) n;
INSERT INTO conversations (id, pair_lo, pair_hi) SELECT md5('c' || n)::uuid, md5('m' || n)::uuid, md5('m' || n + 1)::uuid FROM generate_series(1, 5000) n;
INSERT INTO participants (member_id, conversation_id, other_id, last_message_at)
	SELECT md5('m' || n)::uuid, md5('c' || n)::uuid, md5('m' || n + 1)::uuid, now() FROM generate_series(1, 5000) n;
INSERT INTO messages (id, conversation_id, number, sender_id, body, sent_at)
	SELECT md5('msg' || n || k)::uuid, md5('c' || n)::uuid, k, md5('m' || n)::uuid, 'x', now() FROM generate_series(1, 5000) n, generate_series(1, 3) k;
INSERT INTO feed_entries (id, member_id, number, kind) SELECT md5('f' || n)::uuid, md5('m' || n)::uuid, 1, 'x' FROM generate_series(1, 5000) n;
INSERT INTO profiles (member_id, positions, education, skills, languages, interests) SELECT id, '[]', '[]', '[]', '[]', '[]' FROM members ON CONFLICT DO NOTHING;
INSERT INTO preferences (member_id, settings, time_zone) SELECT id, '{}', 'UTC' FROM members;
INSERT INTO restrictions (member_id) SELECT id FROM members;
ANALYZE;`

// What the host application has done, erasing above all, and what operators list, reads no table from end to end.
func TestHostIndexes(t *testing.T) {
	t.Parallel()
	s := openPlanned(t, populate, populateHost)
	number := func(n int) id.Member { return s.member(t, n) }
	hosts, member, others := store.Hosts{Store: s.Store}, number(40), []id.Member{number(41), number(1), number(2000)}
	ctx, now := context.Background(), time.Now()
	transact := func(do func(tx host.Tx) error) func() error {
		return func() error {
			_, err := hosts.Transact(ctx, func(_ context.Context, tx host.Tx) error { return do(tx) })
			return err
		}
	}
	cases := func(page report.Page) func() error {
		return func() error {
			_, _, err := (store.Reports{Store: s.Store}).Cases(ctx, page)
			return err
		}
	}
	after := &report.Report{CreatedAt: now.Add(-24 * time.Hour)}
	for _, c := range []struct {
		what    string
		indexes []string // that the plans must name
		run     func() error
	}{
		{"whose access has ended", []string{"member_suspended_at", "member_erased_at"}, func() error {
			_, err := s.AccessEnded(ctx, now)
			return err
		}},
		{"the open reports", []string{"report_open"}, cases(report.Page{Limit: 3})},
		{"all reports, after one", []string{"report_all"}, cases(report.Page{All: true, Limit: 3, After: after})},
		{"the same report", []string{"report_reporter_id_reported_id"}, func() error {
			return (store.Reports{Store: s.Store}).Transact(ctx, func(ctx context.Context, tx report.Tx) error {
				_, err := tx.OpenReports(ctx, member, others[0])
				return err
			})
		}},
		{"publications of a list", []string{"publications_pkey"}, func() error {
			_, err := hosts.PublicationsByID(ctx, []id.Publication{id.Publication(member), id.Publication(others[0])})
			return err
		}},
		{"whom a publication may be told", []string{"members_pkey", "block_block"}, transact(func(tx host.Tx) error {
			_, err := tx.Standing(ctx, others, member)
			return err
		})},
		{"unfinished erasures", []string{"member_erasing"}, func() error { _, err := hosts.Erasing(ctx, 100); return err }},
		{"the notifications of whoever is erased", []string{"notification_member_id_sequence"}, func() error {
			_, err := hosts.DeleteNotifications(ctx, number(77), 1000)
			return err
		}},
		{"what is between whoever is erased and others", []string{
			"connections_pkey", "invitation_recipient", "notification_invitation_id", "participant_member_id", "notification_published",
		}, transact(func(tx host.Tx) error { _, err := tx.Sever(ctx, member, others); return err })},
		{"the records of whoever is erased", []string{
			"reinvitebar_recipient_id", "flag_sender_id_flagged_at", "report_reporter_id", "publication_actor_id",
		}, transact(func(tx host.Tx) error { return tx.EraseRecords(ctx, member) })},
		{"whom whoever is erased had to do with", []string{"connection"}, func() error { _, err := hosts.TiedTo(ctx, number(1), 100); return err }},
	} {
		seen := s.statements(t, c.what, c.run)
		var plans strings.Builder
		for _, q := range seen {
			plan := s.explain(t, q)
			plans.WriteString(q.query + "\n" + plan)
			if strings.Contains(plan, "Seq Scan") {
				t.Errorf("%s:\n%s\n%s", c.what, q.query, plan)
			}
		}
		for _, index := range c.indexes {
			if !strings.Contains(plans.String(), index) {
				t.Errorf("%s: %s is not used\n%s", c.what, index, plans.String())
			}
		}
	}
}
