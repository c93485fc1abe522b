package apptest

import "testing"

// RunTasks runs the periodic tasks that are due by the server's clock, and waits for them.
func (s *Server) RunTasks(t testing.TB) {
	t.Helper()
	if err := s.app.RunTasks(t.Context()); err != nil {
		t.Fatal(err)
	}
}
