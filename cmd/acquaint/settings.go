package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/acquaint/acquaint/internal/app"
	"github.com/acquaint/acquaint/internal/network"
)

// settingError is how main tells a bad setting from a failure.
type settingError = *app.SettingError

// logSettings are how a command logs.
type logSettings struct {
	LogLevel  string `env:"ACQUAINT_LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"What to log: debug, info, warn or error."`
	LogFormat string `env:"ACQUAINT_LOG_FORMAT" enum:"auto,text,json" default:"auto" help:"text, json, or auto: text on a terminal, json elsewhere."`
}

func (l logSettings) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.LogLevel)) // kong has checked it
	options := &slog.HandlerOptions{Level: level}
	file, isFile := w.(*os.File)
	if l.LogFormat == "text" || l.LogFormat == "auto" && isFile && isatty.IsTerminal(file.Fd()) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// databaseSettings are where the tables are.
type databaseSettings struct {
	DatabaseURL string `name:"database-url" env:"ACQUAINT_DATABASE_URL" placeholder:"URL" help:"postgres://… (14 or newer), or sqlite:PATH. The default is an SQLite file in the data folder."`
	DataDir     string `env:"ACQUAINT_DATA_DIR" default:"acquaint-data" help:"The folder for what the program keeps itself."`
}

func (d databaseSettings) url() string {
	if d.DatabaseURL != "" {
		return d.DatabaseURL
	}
	return "sqlite:" + filepath.Join(d.DataDir, "acquaint.db")
}

// serverSettings are those of dev and serve alike.
type serverSettings struct {
	databaseSettings
	logSettings
	Listen         string   `env:"ACQUAINT_LISTEN" default:"127.0.0.1:8080" help:"The address to answer on; port 0 is any free one."`
	AllowedOrigins []string `env:"ACQUAINT_ALLOWED_ORIGINS" placeholder:"ORIGIN" help:"Origins whose pages may call, besides the server's own, for CORS and websockets alike; * is all."`
	Introspection  bool     `env:"ACQUAINT_INTROSPECTION" default:"true" negatable:"" help:"Let clients read the schema."`
	Playground     bool     `env:"ACQUAINT_PLAYGROUND" default:"true" negatable:"" help:"Serve GraphiQL at /."`
	MetricsListen  string   `env:"ACQUAINT_METRICS_LISTEN" placeholder:"ADDRESS" help:"Serve Prometheus /metrics and /debug/pprof on this address; off when empty. Do not make it public."`
	OTLPEndpoint   string   `name:"otlp-endpoint" env:"ACQUAINT_OTLP_ENDPOINT" placeholder:"URL" help:"Send traces to this OpenTelemetry collector, by OTLP over HTTP, as in http://127.0.0.1:4318. The default is what OTEL_EXPORTER_OTLP_ENDPOINT says; off when empty."`

	DrainDelay time.Duration `env:"ACQUAINT_DRAIN_DELAY" default:"0s" help:"How long to go on after SIGTERM with /readyz failing, until a balancer has noticed."`

	Broker      string        `env:"ACQUAINT_BROKER" placeholder:"BROKER" help:"How servers on one database tell each other of news: local (there is one), postgres, or nats://host:4222. The default is what the database has."`
	BrokerSweep time.Duration `env:"ACQUAINT_BROKER_SWEEP" default:"5s" help:"How often to look for notifications whose wake-up was lost."`

	ruleSettings
	limitSettings
}

// ruleSettings are the numbers of the product's rules.
type ruleSettings struct {
	NoteMax             int           `env:"ACQUAINT_NOTE_MAX" default:"300" help:"The most characters of an invitation's note."`
	ReinviteCooldown    time.Duration `env:"ACQUAINT_REINVITE_COOLDOWN" default:"504h" help:"How long after a withdrawal its sender may not invite that member again."`
	InvitationExpiry    time.Duration `env:"ACQUAINT_INVITATION_EXPIRY" default:"4320h" help:"How long an invitation stays open."`
	ReminderMax         int           `env:"ACQUAINT_REMINDER_MAX" default:"2" help:"The most reminders of an invitation."`
	ReminderInterval    time.Duration `env:"ACQUAINT_REMINDER_INTERVAL" default:"168h" help:"How long after the sending the first reminder may follow, and each other after the one before."`
	InvitationLimit     int           `env:"ACQUAINT_INVITATION_LIMIT" default:"100" help:"The most invitations that a member may send within the window."`
	InvitationWindow    time.Duration `env:"ACQUAINT_INVITATION_WINDOW" default:"168h" help:"The window: any period of that length."`
	OpenInvitationLimit int           `env:"ACQUAINT_OPEN_INVITATION_LIMIT" default:"1000" help:"The most open invitations of a member."`
	FlagWarn            int           `env:"ACQUAINT_FLAG_WARN" default:"3" help:"How many recipients who do not know a sender make a warning."`
	FlagRestrict        int           `env:"ACQUAINT_FLAG_RESTRICT" default:"5" help:"How many of them restrict the sender."`
	FlagWindow          time.Duration `env:"ACQUAINT_FLAG_WINDOW" default:"2160h" help:"How long that counts."`
	FlagEvaluation      time.Duration `env:"ACQUAINT_FLAG_EVALUATION" default:"24h" help:"How often it takes effect, for all together, so that no single answer shows; 0 is at once."`
	Restriction         time.Duration `env:"ACQUAINT_RESTRICTION" default:"168h" help:"How long a sender is restricted."`
	ExpirySweep         time.Duration `env:"ACQUAINT_EXPIRY_SWEEP" default:"1h" help:"How often to close the invitations that have expired."`
}

func (r ruleSettings) policy() network.Policy {
	return network.Policy{
		NoteMax: r.NoteMax, ReinviteCooldown: r.ReinviteCooldown, InvitationExpiry: r.InvitationExpiry,
		ReminderMax: r.ReminderMax, ReminderInterval: r.ReminderInterval,
		InvitationLimit: r.InvitationLimit, InvitationWindow: r.InvitationWindow, OpenInvitationLimit: r.OpenInvitationLimit,
		FlagWarn: r.FlagWarn, FlagRestrict: r.FlagRestrict, FlagWindow: r.FlagWindow, FlagEvaluation: r.FlagEvaluation,
		Restriction: r.Restriction,
	}
}

// limitSettings are what one client may make the server hold and do.
type limitSettings struct {
	TrustedDocuments string `env:"ACQUAINT_TRUSTED_DOCUMENTS" placeholder:"FILE" help:"Run only the operations in this JSON file of ids and documents, as a client's build writes it."`

	MaxBody         int64         `env:"ACQUAINT_MAX_BODY" default:"1048576" help:"The most bytes of a request."`
	RequestTimeout  time.Duration `env:"ACQUAINT_REQUEST_TIMEOUT" default:"10s" help:"How long a query or mutation may take."`
	QueryTokens     int           `env:"ACQUAINT_QUERY_TOKENS" default:"5000" help:"The most tokens of a document."`
	QueryDepth      int           `env:"ACQUAINT_QUERY_DEPTH" default:"15" help:"The most levels of nested fields, or values."`
	QueryComplexity int           `env:"ACQUAINT_QUERY_COMPLEXITY" default:"5000" help:"The most points: 1 a field, and what is under a paged field once per item of its page."`
	QueryAliases    int           `name:"query-root-aliases" env:"ACQUAINT_QUERY_ROOT_ALIASES" default:"30" help:"The most aliases of root fields."`
	QueryDirectives int           `env:"ACQUAINT_QUERY_DIRECTIVES" default:"200" help:"The most directives of a document."`

	SocketMessage          int64 `env:"ACQUAINT_SOCKET_MESSAGE" default:"65536" help:"The most bytes of a websocket message."`
	SocketsPerMember       int   `env:"ACQUAINT_SOCKETS_PER_MEMBER" default:"10" help:"The most open sockets of a member on this node; 0 is any number."`
	SubscriptionsPerMember int   `env:"ACQUAINT_SUBSCRIPTIONS_PER_MEMBER" default:"20" help:"The most open subscriptions of a member on this node; 0 is any number."`

	RequestRate    float64  `env:"ACQUAINT_REQUEST_RATE" default:"50" help:"The most operations a second of a member; 0 is any number."`
	RequestBurst   int      `env:"ACQUAINT_REQUEST_BURST" default:"300" help:"The most operations of a member at once."`
	AddressRate    float64  `env:"ACQUAINT_ADDRESS_RATE" default:"0" help:"The most requests a second of an address; 0 is any number."`
	TrustedProxies []string `env:"ACQUAINT_TRUSTED_PROXIES" placeholder:"RANGE" help:"Addresses or ranges of proxies whose X-Forwarded-For is believed."`
}

// apply puts the limits into a config.
func (l limitSettings) apply(config *app.Config) {
	config.TrustedDocuments, config.TrustedProxies = l.TrustedDocuments, l.TrustedProxies
	documents, limits := &config.DocumentLimits, &config.Limits
	documents.Tokens, documents.Depth, documents.Complexity = l.QueryTokens, l.QueryDepth, l.QueryComplexity
	documents.RootAliases, documents.Directives = l.QueryAliases, l.QueryDirectives
	limits.Body, limits.RequestTimeout, limits.SocketMessage = l.MaxBody, l.RequestTimeout, l.SocketMessage
	limits.SocketsPerMember, limits.SubscriptionsPerMember = l.SocketsPerMember, l.SubscriptionsPerMember
	limits.Rates.Request, limits.Rates.RequestBurst, limits.Rates.Address = l.RequestRate, l.RequestBurst, l.AddressRate
}

func (s serverSettings) config(log *slog.Logger) app.Config {
	config := app.DefaultConfig()
	config.Listen = s.Listen
	config.DatabaseURL = s.url()
	config.AllowedOrigins = s.AllowedOrigins
	config.Introspection = s.Introspection
	config.Playground = s.Playground
	config.MetricsListen, config.DrainDelay = s.MetricsListen, s.DrainDelay
	config.TracesURL = tracesURL(s.OTLPEndpoint, os.Getenv)
	config.Policy, config.ExpirySweep = s.policy(), s.ExpirySweep
	config.Broker, config.BrokerSweep = s.Broker, s.BrokerSweep
	config.Log = log
	s.apply(&config)
	return config
}

// tracesURL is where traces go: by the flag, or by the standard variables of OpenTelemetry, of which the exporter itself
// reads those for headers, certificates and the like.
func tracesURL(flag string, getenv func(string) string) string {
	const path = "/v1/traces"
	switch {
	case flag != "":
		return strings.TrimRight(flag, "/") + path
	case strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true"), strings.EqualFold(getenv("OTEL_TRACES_EXPORTER"), "none"):
		return ""
	case getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "":
		return getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	case getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "":
		return strings.TrimRight(getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), "/") + path
	}
	return ""
}

// tokenSettings are how tokens are checked.
type tokenSettings struct {
	JWTSecret   string `name:"jwt-secret" env:"ACQUAINT_JWT_SECRET" placeholder:"SECRET" help:"The secret of HS256 tokens, at least 32 bytes. Better in the environment than on the command line."`
	JWKSURL     string `name:"jwks-url" env:"ACQUAINT_JWKS_URL" placeholder:"URL" help:"The key set of RS256, ES256 and EdDSA tokens."`
	JWTIssuer   string `name:"jwt-issuer" env:"ACQUAINT_JWT_ISSUER" placeholder:"ISS" help:"Refuse tokens of another issuer."`
	JWTAudience string `name:"jwt-audience" env:"ACQUAINT_JWT_AUDIENCE" placeholder:"AUD" help:"Refuse tokens for another audience."`
}

// serve runs a server until ctx ends.
func serve(ctx context.Context, config app.Config, started func(*app.App)) error {
	raiseHeap()
	a, err := app.New(ctx, config)
	if err != nil {
		return err
	}
	started(a)
	return errors.Join(a.Serve(ctx), a.Close()) //nolint:contextcheck // ctx has ended by then
}
