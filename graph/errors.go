package graph

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/acquaint/acquaint/graph/model"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/refusal"
)

// The values of extensions.code in the errors of a response.
const (
	CodeUnauthenticated  = "UNAUTHENTICATED"
	CodeBadUserInput     = "BAD_USER_INPUT"
	CodeParseFailed      = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	CodeInternal         = "INTERNAL_SERVER_ERROR"
	CodeUnavailable      = "UNAVAILABLE"
	CodeTooComplex       = "COMPLEXITY_LIMIT_EXCEEDED"
	CodeForbidden        = "FORBIDDEN"
	CodeRateLimited      = "RATE_LIMITED"
)

// Error makes an error of a response with a code.
func Error(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

func errBadInput(message string) error { return Error(CodeBadUserInput, message) }

// userErrors gives the payload's errors for a refusal, and every other error as it is.
func userErrors(err error) ([]model.UserError, error) {
	var refused *refusal.Error
	switch {
	case err == nil:
		return []model.UserError{}, nil
	case !errors.As(err, &refused):
		return nil, err
	}
	out := model.UserError{Code: model.UserErrorCode(refused.Code), Message: refused.Message, Field: refused.Field}
	if !refused.RetryAt.IsZero() {
		out.RetryAt = &refused.RetryAt
	}
	return []model.UserError{out}, nil
}

// present turns an error into what a client may see. What it does not know is a fault of ours: it shows nothing of it,
// and logs it with the request's id.
func (f *face) present(ctx context.Context, err error) *gqlerror.Error {
	var shown *gqlerror.Error
	if errors.As(err, &shown) && shown.Extensions["code"] != nil {
		shown = withPath(ctx, shown)
		// What a field might have been called is the schema's to tell, and introspection may be off. gqlparser's switch
		// for it leaves some in.
		shown.Message, _, _ = strings.Cut(shown.Message, " Did you mean")
		return shown
	}
	if errors.Is(err, member.ErrNotFound) { // the viewer's, who was deleted while the request ran
		return withPath(ctx, Error(CodeUnauthenticated, "There is no such member any more."))
	}
	out := Error(CodeInternal, "Something went wrong on our side.")
	out = withPath(ctx, out)
	if errors.Is(err, refusal.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		out.Message, out.Extensions["code"] = "The service is not available just now; try again.", CodeUnavailable
	}
	if errors.Is(ctx.Err(), context.Canceled) { // the client went away, whatever the database calls that
		return out
	}
	request := RequestIDOf(ctx)
	out.Extensions["requestId"] = request
	f.log.ErrorContext(ctx, "request failed", "requestId", request, "path", out.Path.String(), "error", err)
	return out
}

// withPath says where in the response an error belongs. It copies, as some errors are shared.
func withPath(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	out := *err
	if out.Path == nil {
		out.Path = graphql.GetPath(ctx)
	}
	return &out
}

// recovered turns a panic in a resolver into an error, and logs where it was.
func (f *face) recovered(ctx context.Context, cause any) error {
	f.log.ErrorContext(ctx, "panic in a resolver", "requestId", RequestIDOf(ctx), "panic", cause, "stack", string(debug.Stack()))
	return fmt.Errorf("panic: %v", cause)
}

// What an id gets that is not of the right type, or no id at all: the same as one of something that does not exist.
var (
	noSuchMember = []model.UserError{{
		Code: model.UserErrorCodeMemberNotFound, Message: "There is no such member.", Field: []string{"memberId"},
	}}
	noSuchInvitation = []model.UserError{{
		Code: model.UserErrorCodeInvitationNotFound, Message: "There is no such invitation.", Field: []string{"invitationId"},
	}}
)
