package app_test

import (
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// What is asked for outside a list waits for nobody, however long the items of a list may: here longer than a request may take.
func TestNothingWaitsAlone(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s := apptest.Start(t, database, func(c *app.Config) { c.BatchWait = 15 * time.Second })
		ada, ben, cleo := s.As(t, "ada"), s.As(t, "ben"), s.As(t, "cleo")
		apptest.Connect(ada, ben)
		apptest.Connect(ben, cleo)
		var data struct {
			Viewer struct {
				Member      struct{ ID string }
				Connections struct{ Nodes []struct{ ID, Name string } }
			}
			Node struct {
				Relationship      struct{ Degree *int }
				MutualConnections struct {
					TotalCount int
					Nodes      []struct{ ID string }
				}
			}
		}
		ada.Get(&data, `query($id: ID!) {
			viewer { member { id } connections { nodes { id name } } }
			node(id: $id) { ... on Member { relationship { degree } mutualConnections { totalCount nodes { id } } } } }`, apptest.Vars{"id": cleo.ID})
		node := data.Node
		if node.Relationship.Degree == nil || *node.Relationship.Degree != 2 || node.MutualConnections.TotalCount != 1 ||
			len(node.MutualConnections.Nodes) != 1 || node.MutualConnections.Nodes[0].ID != ben.ID ||
			data.Viewer.Member.ID != ada.ID || len(data.Viewer.Connections.Nodes) != 1 {
			t.Errorf("%+v", data)
		}
	})
}
