package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
)

// Config is the settings of a server. DefaultConfig has those that nobody set.
type Config struct {
	Listen         string // host:port
	DatabaseURL    string // postgres://… or sqlite:PATH
	NoMigrate      bool   // refuse tables of an older version instead of migrating them
	JWTSecret      string
	JWKSURL        string
	JWTIssuer      string
	JWTAudience    string
	AllowedOrigins []string
	Introspection  bool
	Playground     bool
	MetricsListen  string // host:port; "" for none
	Policy         network.Policy
	BrokerSweep    time.Duration
	Log            *slog.Logger

	// Demo adds demo members and the start page that signs one in as any of them. Anybody who can reach the server can
	// be anybody then.
	Demo bool

	// What tests change.
	Now       func() time.Time
	NewID     id.Source
	BatchWait time.Duration                  // how long loaders collect; 0 for the default
	Observe   func(query string, args []any) // sees every statement
}

// DefaultConfig is the settings where nobody sets any, but for the database and the keys.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080", Introspection: true, Playground: true,
		Policy: network.DefaultPolicy(), BrokerSweep: 5 * time.Second,
	}
}

// SettingError is a setting that the server does not start with.
type SettingError struct {
	Setting string // the flag, as in "--jwt-secret"
	Reason  string
}

// Error names the setting and says what is wrong. It never holds the value.
func (e *SettingError) Error() string { return e.Setting + ": " + e.Reason }

// Check refuses settings that make no sense.
func (c Config) Check() error {
	switch {
	case c.JWTSecret == "" && c.JWKSURL == "":
		return &SettingError{"--jwt-secret or --jwks-url", "one is needed to check tokens with"}
	case c.JWTSecret != "" && len(c.JWTSecret) < auth.SecretMin:
		return &SettingError{"--jwt-secret", fmt.Sprintf("needs at least %d bytes", auth.SecretMin)}
	case c.Policy.NoteMax < 0:
		return &SettingError{"--note-max", "must not be negative"}
	case c.Policy.ReinviteCooldown < 0:
		return &SettingError{"--reinvite-cooldown", "must not be negative"}
	case c.BrokerSweep <= 0:
		return &SettingError{"--broker-sweep", "must be greater than 0"}
	}
	return nil
}
