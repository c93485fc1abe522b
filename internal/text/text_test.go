package text_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/text"
)

func TestClean(t *testing.T) {
	t.Parallel()
	note := text.Rule{Max: 5, Lines: true}
	name := text.Rule{Max: 5, Required: true}
	for _, c := range []struct {
		what string
		rule text.Rule
		in   string
		want string
		code refusal.Code
	}{
		{"trimmed", note, "  hi \n", "hi", ""},
		{"empty after trimming", note, " \t\n ", "", ""},
		{"composed", note, "e\u0301", "\u00e9", ""},
		{"length counts code points after composing", note, strings.Repeat("e\u0301", 5), strings.Repeat("\u00e9", 5), ""},
		{"tab and newline inside", note, "a\tb\nc", "a\tb\nc", ""},
		{"right-to-left override kept", note, "\u202eabc", "\u202eabc", ""},
		{"zero-width kept", note, "a\u200bb", "a\u200bb", ""},
		{"emoji is one code point each", note, "😀😀😀😀😀", "😀😀😀😀😀", ""},
		{"six is too long", note, "abcdef", "", refusal.TooLong},
		{"NUL", note, "a\x00b", "", refusal.Invalid},
		{"carriage return", note, "a\rb", "", refusal.Invalid},
		{"C1 control", note, "a\u0085b", "", refusal.Invalid},
		{"not UTF-8", note, "a\xff", "", refusal.Invalid},
		{"name with a newline", name, "a\nb", "", refusal.Invalid},
		{"blank name", name, "   ", "", refusal.Blank},
		{"carriage return at the end", note, "ab\r\n", "", refusal.Invalid},
		{"blank letters for a name", name, "\u3164\u2800", "", refusal.Blank},
		{"name with a newline around", name, "\nabc\n", "abc", ""},
		{"invisible name", name, "\u200b\u200d", "", refusal.Blank},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			got, err := c.rule.Clean(c.in, "note")
			if refused, ok := errors.AsType[*refusal.Error](err); ok {
				if refused.Code != c.code || len(refused.Field) != 1 || refused.Field[0] != "note" {
					t.Fatalf("refused with %v %v, want %s", refused, refused.Field, c.code)
				}
				return
			}
			if c.code != "" || got != c.want {
				t.Fatalf("got %q, want %q or refusal %q", got, c.want, c.code)
			}
		})
	}
}

// What was accepted is stable: cleaning it again changes nothing, it is valid, composed and within the limit.
func TestCleanIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := text.Rule{Max: 20, Lines: rapid.Bool().Draw(t, "lines"), Required: rapid.Bool().Draw(t, "required")}
		in := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "in")
		once, err := rule.Clean(in)
		if err != nil {
			return
		}
		twice, err := rule.Clean(once)
		if err != nil || once != twice {
			t.Fatalf("cleaning %q gave %q, then %q (%v)", in, once, twice, err)
		}
		if !utf8.ValidString(once) || !norm.NFC.IsNormalString(once) || utf8.RuneCountInString(once) > rule.Max {
			t.Fatalf("accepted %q", once)
		}
	})
}
