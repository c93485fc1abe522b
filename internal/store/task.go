package store

import (
	"context"
	"time"

	"github.com/acquaint/acquaint/ent"
	enttask "github.com/acquaint/acquaint/ent/task"
)

// LeaseTask implements task.Store, in one statement: of two nodes, the second finds the lease of the first.
func (s *Store) LeaseTask(ctx context.Context, name, holder string, now, until, due time.Time) (bool, error) {
	var leased bool
	err := s.write(ctx, func(t *tx) error {
		b := statement(t.dialect)
		b.WriteString("INSERT INTO tasks (name, holder, leased_until) VALUES (").Args(name, holder, until).
			WriteString(") ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until").
			WriteString(" WHERE (tasks.leased_until IS NULL OR tasks.leased_until <= ").Arg(now).
			WriteString(") AND (tasks.finished_at IS NULL OR tasks.finished_at <= ").Arg(due).
			WriteString(") RETURNING name")
		query, args := b.Query()
		var err error
		leased, err = scanOne(ctx, t.client, query, args, &name)
		return err
	})
	return leased, err
}

// RenewTask implements task.Store.
func (s *Store) RenewTask(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	return s.changeTask(ctx, name, holder, func(u *ent.TaskUpdate) { u.SetLeasedUntil(until) })
}

// FinishTask implements task.Store.
func (s *Store) FinishTask(ctx context.Context, name, holder string, began time.Time) (bool, error) {
	return s.changeTask(ctx, name, holder, func(u *ent.TaskUpdate) { u.SetHolder("").ClearLeasedUntil().SetFinishedAt(began) })
}

// ReleaseTask implements task.Store.
func (s *Store) ReleaseTask(ctx context.Context, name, holder string) error {
	_, err := s.changeTask(ctx, name, holder, func(u *ent.TaskUpdate) { u.SetHolder("").ClearLeasedUntil() })
	return err
}

// changeTask changes a task that is still its holder's; false when it is not.
func (s *Store) changeTask(ctx context.Context, name, holder string, change func(*ent.TaskUpdate)) (bool, error) {
	var n int
	err := s.write(ctx, func(t *tx) error {
		update := t.client.Task.Update().Where(enttask.ID(name), enttask.Holder(holder))
		change(update)
		var err error
		n, err = update.Save(ctx)
		return err
	})
	return n > 0, err
}
