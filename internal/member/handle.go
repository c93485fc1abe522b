package member

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/acquaint/acquaint/internal/refusal"
)

// The length of a handle, in characters (all of which are single bytes).
const (
	handleMin = 3
	handleMax = 64
)

func handleChar(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// ValidHandle reports whether s could be a member's handle.
func ValidHandle(s string) bool {
	return len(s) >= handleMin && len(s) <= handleMax &&
		!strings.ContainsFunc(s, func(c rune) bool { return !handleChar(c) })
}

// checkHandle gives a handle that a member asks for, in lower case, or refuses it.
func checkHandle(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case s == "":
		return "", refusal.New(refusal.Blank, "This must not be empty.", "handle")
	case strings.ContainsFunc(s, func(c rune) bool { return !handleChar(c) }):
		return "", refusal.New(refusal.Invalid, "A handle has only a-z, 0-9, dot, underscore and hyphen.", "handle")
	case len(s) < handleMin:
		return "", refusal.New(refusal.TooShort, fmt.Sprintf("At least %d characters.", handleMin), "handle")
	case len(s) > handleMax:
		return "", refusal.New(refusal.TooLong, fmt.Sprintf("At most %d characters.", handleMax), "handle")
	}
	return s, nil
}

// fitHandle makes a handle of a name as well as it can: accents go, other characters become single hyphens. It gives
// "" when too little is left.
func fitHandle(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, c): // the accent of the letter before
		case !handleChar(c):
			gap = true
		default:
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
		}
		if b.Len() >= handleMax {
			break
		}
	}
	out := b.String()
	if len(out) > handleMax {
		out = out[:handleMax]
	}
	out = strings.Trim(out, "-._")
	if len(out) < handleMin {
		return ""
	}
	return out
}

// handleCandidates are the handles to try for new claims, best first: the plain one, then with a suffix that nobody
// else will have tried. suffix gives a few random characters of a-z and 0-9.
func handleCandidates(claims Claims, tries int, suffix func() string) []string {
	base := fitHandle(claims.PreferredUsername)
	if base == "" {
		base = fitHandle(claims.Name)
	}
	candidates := make([]string, 0, tries)
	if base == "" {
		base = "member"
	} else {
		candidates = append(candidates, base)
	}
	for len(candidates) < tries {
		end := "-" + suffix()
		candidates = append(candidates, base[:min(len(base), handleMax-len(end))]+end)
	}
	return candidates
}
