package auth

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// reasons are why tokens are refused, in words of ours: what the parser says quotes the token.
var reasons = []struct {
	err    error
	reason string
}{
	{jwt.ErrTokenExpired, "expired"},
	{jwt.ErrTokenNotValidYet, "not valid yet"},
	{jwt.ErrTokenUsedBeforeIssued, "not valid yet"},
	{jwt.ErrTokenInvalidAudience, "for another audience"},
	{jwt.ErrTokenInvalidIssuer, "of another issuer"},
	{jwt.ErrTokenRequiredClaimMissing, "a required claim is missing"},
	{jwt.ErrTokenInvalidClaims, "a claim is not valid"},
	{jwt.ErrTokenMalformed, "malformed"},
	{jwt.ErrTokenUnverifiable, "no key for it"},
	{jwt.ErrTokenSignatureInvalid, "the signature is not valid, or of another algorithm"},
}

// reasonOf is why a token was refused, for the log.
func reasonOf(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return "no usable subject"
}
