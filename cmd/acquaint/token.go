package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
)

// tokenCommand is acquaint token.
type tokenCommand struct {
	Subject     string        `required:"" placeholder:"SUB" help:"The host application's user id; with --service, any name for the service. The first token of a subject makes the member."`
	Name        string        `help:"The member's name."`
	Email       string        `help:"The member's email address."`
	Service     bool          `help:"Make it the host application's own: no member, but allowed to manage members and to publish notifications."`
	TTL         time.Duration `name:"ttl" default:"1h" help:"How long the token is good."`
	JWTSecret   string        `name:"jwt-secret" env:"ACQUAINT_JWT_SECRET" placeholder:"SECRET" help:"The secret to sign with. The default is that of acquaint dev in the data folder."`
	JWTIssuer   string        `name:"jwt-issuer" env:"ACQUAINT_JWT_ISSUER" placeholder:"ISS" help:"The issuer to name."`
	JWTAudience string        `name:"jwt-audience" env:"ACQUAINT_JWT_AUDIENCE" placeholder:"AUD" help:"The audience to name."`
	DataDir     string        `env:"ACQUAINT_DATA_DIR" default:"acquaint-data" help:"The data folder of acquaint dev."`
}

// Help is shown by acquaint token --help.
func (tokenCommand) Help() string {
	return `With --service the token has the scope acquaint:service: it is the host application's own. It makes no member and
sees nothing of one; it may run upsertMember, suspendMember, deleteMember and publishNotification. Keep it on the server.`
}

// Run runs it.
func (c tokenCommand) Run(s streams) error {
	secret := c.JWTSecret
	if secret == "" {
		if raw, err := os.ReadFile(filepath.Join(c.DataDir, secretFile)); err == nil {
			secret = string(raw)
		}
	}
	switch {
	case len(secret) < auth.SecretMin:
		return &app.SettingError{Setting: "--jwt-secret", Reason: fmt.Sprintf("needs at least %d bytes (or a --data-dir of acquaint dev)", auth.SecretMin)}
	case c.Subject == "":
		return &app.SettingError{Setting: "--subject", Reason: "must not be empty"}
	case c.TTL <= 0:
		return &app.SettingError{Setting: "--ttl", Reason: "must be greater than 0"}
	}
	token, err := auth.Sign([]byte(secret), member.Claims{Subject: c.Subject, Name: c.Name, Email: c.Email, Service: c.Service},
		c.JWTIssuer, c.JWTAudience, time.Now(), c.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, token)
	return err
}
