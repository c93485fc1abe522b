package app

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/telemetry"
)

// Config is the settings of a server. DefaultConfig has those that nobody set.
type Config struct {
	Listen         string        // host:port
	DrainDelay     time.Duration // how long a server that was told to end goes on, so that balancers notice
	DatabaseURL    string        // postgres://… or sqlite:PATH
	NoMigrate      bool          // refuse tables of an older version instead of migrating them
	JWTSecret      string
	JWKSURL        string
	JWTIssuer      string
	JWTAudience    string
	AllowedOrigins []string
	Introspection  bool
	Playground     bool
	// TrustedDocuments is a file with the only operations that are run; "" for all.
	TrustedDocuments string
	TrustedProxies   []string // addresses or ranges whose X-Forwarded-For is believed
	DocumentLimits   graph.Limits
	Limits           server.Limits
	MetricsListen    string // host:port; "" for none
	TracesURL        string // where spans go by OTLP over HTTP, as in http://127.0.0.1:4318/v1/traces; "" for nowhere
	Policy           network.Policy
	// Broker is how nodes tell each other of news: BrokerLocal, BrokerPostgres, the address of a NATS server, or "" for
	// what the database has.
	Broker      string
	BrokerSweep time.Duration
	ExpirySweep time.Duration // how often expired invitations are closed
	Log         *slog.Logger

	// Demo adds demo members and the start page that signs one in as any of them. Anybody who can reach the server can
	// be anybody then.
	Demo bool

	// What tests change.
	Now        func() time.Time
	NewID      id.Source
	BatchWait  time.Duration                  // how long loaders collect; 0 for the default
	Observe    func(query string, args []any) // sees every statement
	Migrations fs.FS                          // more of them, of the next version; store.Options.Migrations
	NoTasks    bool                           // nothing is done every so often, but for tasks by RunTasks
}

// The values of Config.Broker that are no address.
const (
	BrokerLocal    = "local"    // there is one node
	BrokerPostgres = "postgres" // LISTEN and NOTIFY of the database
)

// postgres reports whether the database is one.
func (c Config) postgres() bool {
	return strings.HasPrefix(c.DatabaseURL, "postgres://") || strings.HasPrefix(c.DatabaseURL, "postgresql://")
}

// broker is the broker's name, or the address of a NATS server.
func (c Config) broker() string {
	switch {
	case c.Broker != "":
		return c.Broker
	case c.postgres():
		return BrokerPostgres
	default:
		return BrokerLocal
	}
}

// checkBroker refuses a broker that is none, or that the database does not have.
func (c Config) checkBroker() error {
	switch u, err := url.Parse(c.broker()); {
	case c.broker() == BrokerLocal, c.broker() == BrokerPostgres && c.postgres():
		return nil
	case c.broker() == BrokerPostgres:
		return &SettingError{"--broker", "postgres needs a database of PostgreSQL"}
	case err == nil && (u.Scheme == "nats" || u.Scheme == "tls") && u.Host != "":
		return nil
	default:
		return &SettingError{"--broker", "must be local, postgres, or an address as in nats://host:4222"}
	}
}

// DefaultConfig is the settings where nobody sets any, but for the database and the keys.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080", Introspection: true, Playground: true,
		Policy: network.DefaultPolicy(), BrokerSweep: 5 * time.Second, ExpirySweep: time.Hour,
		DocumentLimits: graph.DefaultLimits(), Limits: server.DefaultLimits(),
	}
}

// completed has what nobody set.
func (c Config) completed() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = telemetry.Logger(c.Log)
	if c.Now == nil {
		c.Now = Now
	}
	if c.NewID == nil {
		c.NewID = NewID
	}
	return c
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
	case !strings.HasPrefix(c.DatabaseURL, "sqlite:") && !c.postgres():
		return &SettingError{"--database-url", "must start with sqlite: or postgres://"}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return &SettingError{"--listen", "must be an address and a port, as in 127.0.0.1:8080"}
	}
	if u, err := url.Parse(c.JWKSURL); c.JWKSURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return &SettingError{"--jwks-url", "must be an http or https address"}
	}
	if u, err := url.Parse(c.TracesURL); c.TracesURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return &SettingError{"--otlp-endpoint (or OTEL_EXPORTER_OTLP_ENDPOINT)", "must be an http or https address"}
	}
	for _, origin := range c.AllowedOrigins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "") {
			return &SettingError{"--allowed-origins", "each must be a scheme and a host, as in https://app.example, or *"}
		}
	}
	if err := c.checkBroker(); err != nil {
		return err
	}
	if c.Policy.FlagWarn > c.Policy.FlagRestrict {
		return &SettingError{"--flag-warn", "must not be greater than --flag-restrict: the warning comes first"}
	}
	return c.checkLimits()
}

// checkLimits refuses numbers that make no sense.
func (c Config) checkLimits() error {
	d, l, p := c.DocumentLimits, c.Limits, c.Policy
	for _, setting := range []struct {
		name      string
		value     float64
		noneIsAll bool // 0 has a meaning
	}{
		{"--note-max", float64(p.NoteMax), true},
		{"--reinvite-cooldown", float64(p.ReinviteCooldown), true},
		{"--invitation-expiry", float64(p.InvitationExpiry), false},
		{"--reminder-max", float64(p.ReminderMax), true},
		{"--reminder-interval", float64(p.ReminderInterval), true},
		{"--invitation-limit", float64(p.InvitationLimit), true},
		{"--invitation-window", float64(p.InvitationWindow), false},
		{"--open-invitation-limit", float64(p.OpenInvitationLimit), true},
		{"--flag-warn", float64(p.FlagWarn), false},
		{"--flag-restrict", float64(p.FlagRestrict), false},
		{"--flag-window", float64(p.FlagWindow), false},
		{"--flag-evaluation", float64(p.FlagEvaluation), true},
		{"--restriction", float64(p.Restriction), true},
		{"--expiry-sweep", float64(c.ExpirySweep), false},
		{"--broker-sweep", float64(c.BrokerSweep), false},
		{"--drain-delay", float64(c.DrainDelay), true},
		{"--query-tokens", float64(d.Tokens), false},
		{"--query-depth", float64(d.Depth), false},
		{"--query-complexity", float64(d.Complexity), false},
		{"--query-root-aliases", float64(d.RootAliases), false},
		{"--query-directives", float64(d.Directives), false},
		{"--max-body", float64(l.Body), false},
		{"--request-timeout", float64(l.RequestTimeout), false},
		{"--socket-message", float64(l.SocketMessage), false},
		{"--sockets-per-member", float64(l.SocketsPerMember), true},
		{"--subscriptions-per-member", float64(l.SubscriptionsPerMember), true},
		{"--request-rate", l.Rates.Request, true},
		{"--request-burst", float64(l.Rates.RequestBurst), true},
		{"--address-rate", l.Rates.Address, true},
	} {
		switch {
		case setting.value < 0:
			return &SettingError{setting.name, "must not be negative"}
		case setting.value == 0 && !setting.noneIsAll:
			return &SettingError{setting.name, "must be greater than 0"}
		}
	}
	return nil
}
