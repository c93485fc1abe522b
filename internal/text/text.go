// Package text decides which texts members may give: trimmed, in Unicode normal form C, without control characters,
// within a length counted in code points. Beyond that texts are stored as given and never interpreted: right-to-left,
// zero-width and every script are the member's own business.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/acquaint/acquaint/internal/refusal"
)

// Rule is what one kind of text must hold to.
type Rule struct {
	Max      int  // code points, after trimming and normalising
	Required bool // at least one visible character, else BLANK
	Lines    bool // tab and newline are allowed
}

// Clean gives the text as it is to be stored, or refuses it, blaming the field at the given path. An optional text that
// is empty after trimming comes back empty.
func (r Rule) Clean(s string, field ...string) (string, error) {
	if !utf8.ValidString(s) {
		return "", refusal.New(refusal.Invalid, "This text is not valid UTF-8.", field...)
	}
	for _, c := range s {
		if unicode.IsControl(c) && c != '\t' && c != '\n' {
			return "", refusal.New(refusal.Invalid, fmt.Sprintf("The control character U+%04X is not allowed here.", c), field...)
		}
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	if !r.Lines && strings.ContainsAny(s, "\t\n") {
		return "", refusal.New(refusal.Invalid, "This must be one line.", field...)
	}
	if r.Required && !visible(s) {
		return "", refusal.New(refusal.Blank, "This must not be empty.", field...)
	}
	if n := utf8.RuneCountInString(s); n > r.Max {
		return "", refusal.New(refusal.TooLong, fmt.Sprintf("At most %d characters, not %d.", r.Max, n), field...)
	}
	return s, nil
}

// visible reports whether a reader would see anything: zero-width and other format characters alone are no name.
func visible(s string) bool {
	const blankLetters = "\u115f\u1160\u2800\u3164\uffa0" // letters and a symbol, but empty
	return strings.ContainsFunc(s, func(c rune) bool {
		return !unicode.IsSpace(c) && !unicode.Is(unicode.Cf, c) && !unicode.Is(unicode.Mn, c) && !strings.ContainsRune(blankLetters, c)
	})
}
