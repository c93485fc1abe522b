package member

import (
	"time"

	"github.com/acquaint/acquaint/internal/id"
)

// Member is a person with an account in the host application. Texts that the member has not given are empty.
type Member struct {
	ID        id.Member
	Handle    string
	Name      string
	Email     string // private
	Headline  string
	Location  string
	Industry  string
	Company   string
	PhotoURL  string
	CreatedAt time.Time
	// SuspendedAt is when the host application took the member's access away; zero when it has not.
	SuspendedAt time.Time
	Privacy     Privacy
	// InBlock tells that the member has blocked somebody, or was blocked, at some time: only then are blocks worth a look.
	InBlock bool
	// Erased tells that the host application had the member deleted: this is what is left for others to see.
	Erased bool
}

// Claims are what a token says of its subject. Only Subject is always there.
type Claims struct {
	Subject           string
	Name              string
	Email             string
	Picture           string
	PreferredUsername string
	Service           bool // it is the host application's own token: the subject is no member
}
