package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/MicahParks/jwkset"
)

// keySetMax is how large an answer of a key server may be, in bytes.
const keySetMax = 1 << 20

// keySetTransport fetches key sets, and passes on only what tokens can be checked with: a key that is malformed, for
// encryption or a shared secret must not spoil the others, and an answer that is no key set must not replace what is
// known.
type keySetTransport struct{ over http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t keySetTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.over.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, keySetMax+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > keySetMax {
		return nil, fmt.Errorf("the key set is larger than %d bytes", keySetMax)
	}
	filtered, err := usableKeys(raw)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(filtered))
	answer.ContentLength = int64(len(filtered))
	return answer, nil
}

// usableKeys gives a key set without the keys that no token can be checked with.
func usableKeys(raw []byte) ([]byte, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("not a key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("not a key set: there are no keys in it")
	}
	usable := make([]json.RawMessage, 0, len(set.Keys))
	for _, key := range set.Keys {
		parsed, err := jwkset.NewJWKFromRawJSON(key, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		m := parsed.Marshal()
		if m.KTY != jwkset.KtyOct && (m.USE == "" || m.USE == jwkset.UseSig) {
			usable = append(usable, key)
		}
	}
	return json.Marshal(map[string]any{"keys": usable})
}
