package apptest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/acquaint/acquaint/internal/member"
)

// Service is the host application's own client.
func (s *Server) Service(t testing.TB) *Client {
	t.Helper()
	return s.WithToken(t, Token(t, member.Claims{Subject: "the host", Service: true}, yearsLong))
}

// Managed is what the host application's mutations give.
type Managed struct {
	Member *struct {
		ID, Handle, Name                                string
		Headline, Location, Industry, Company, PhotoURL *string
	}
	Created         bool
	DeletedMemberID *string
	Published       int
	UserErrors      []UserError
}

// Code is the code of the refusal, or "".
func (m Managed) Code() string {
	if len(m.UserErrors) == 0 {
		return ""
	}
	return m.UserErrors[0].Code
}

const managedMember = `member { id handle name headline location industry company photoUrl }`

// Upsert makes or changes the member of a subject.
func (c *Client) Upsert(input Vars) Managed {
	return c.manage("upsertMember", managedMember+" created", input)
}

// Suspend takes a member's access away, or gives it back.
func (c *Client) Suspend(subject string, suspended bool) Managed {
	return c.manage("suspendMember", managedMember, Vars{"subject": subject, "suspended": suspended})
}

// Delete erases a member.
func (c *Client) Delete(subject string) Managed {
	return c.manage("deleteMember", "deletedMemberId", Vars{"subject": subject})
}

// Publish notifies members.
func (c *Client) Publish(input Vars) Managed {
	return c.manage("publishNotification", "published", input)
}

// manage is safe for use by several goroutines.
func (c *Client) manage(mutation, selection string, input Vars) Managed {
	kind := string(mutation[0]-'a'+'A') + mutation[1:] + "Input!"
	r := c.Do(`mutation($i: `+kind+`) { result: `+mutation+`(input: $i) { `+selection+` userErrors { code message field } } }`, Vars{"i": input})
	var data struct{ Result Managed }
	if len(r.Errors) > 0 || json.Unmarshal(r.Data, &data) != nil {
		panic(fmt.Sprintf("%s failed: %s", mutation, r.Raw))
	}
	return data.Result
}

// Report reports a member.
func (c *Client) Report(memberID, reason, details string) Payload {
	return c.mutate(`mutation($i: ReportMemberInput!) { result: reportMember(input: $i) { userErrors { code message field } } }`,
		Vars{"memberId": memberID, "reason": reason, "details": details})
}

// Export is the viewer's data, as JSON.
func (c *Client) Export() string {
	c.t.Helper()
	var data struct {
		ExportMyData struct{ Data string }
	}
	c.Get(&data, `mutation { exportMyData { data userErrors { code } } }`, nil)
	return data.ExportMyData.Data
}
