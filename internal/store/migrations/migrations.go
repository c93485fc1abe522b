// Package migrations holds the versions of the tables, one folder of goose files for each database, embedded in the
// program. The files are written by diff (make migration NAME=what_changes) from ent/schema and then reviewed; a file
// that was released is never changed.
package migrations

import "embed"

// Files are the folders postgres and sqlite.
//
//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS
