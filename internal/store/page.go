package store

import entsql "entgo.io/ent/dialect/sql"

// upTo orders a query by a last column, and ends it with a limit that is an argument.
//
// Of a limit that PostgreSQL knows when it plans for an average member, it finds that such a member has fewer rows than
// that, and rather fetches all of them and sorts them; and so it does with the thousands of who has thousands. Of a limit
// that it does not know it takes a tenth of the rows to be wanted, and goes along the index, which is right for both.
func upTo(limit int, column, direction string) func(*entsql.Selector) {
	return func(sel *entsql.Selector) {
		sel.OrderExpr(entsql.ExprFunc(func(b *entsql.Builder) {
			b.WriteString(sel.C(column) + " " + direction + " LIMIT ").Arg(limit)
		}))
	}
}

// The directions of upTo.
const (
	newestFirst = "DESC"
	oldestFirst = "ASC"
)
