package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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
	AllowedOrigins []string `env:"ACQUAINT_ALLOWED_ORIGINS" placeholder:"ORIGIN,…" help:"Origins whose pages may call, besides the server's own, for CORS and websockets alike; * is all."`
	Introspection  bool     `env:"ACQUAINT_INTROSPECTION" default:"true" negatable:"" help:"Let clients read the schema."`
	Playground     bool     `env:"ACQUAINT_PLAYGROUND" default:"true" negatable:"" help:"Serve GraphiQL at /."`
	MetricsListen  string   `env:"ACQUAINT_METRICS_LISTEN" placeholder:"ADDRESS" help:"Serve Prometheus /metrics and /debug/pprof on this address; off when empty. Do not make it public."`

	NoteMax          int           `env:"ACQUAINT_NOTE_MAX" default:"300" help:"The most characters of an invitation's note."`
	ReinviteCooldown time.Duration `env:"ACQUAINT_REINVITE_COOLDOWN" default:"504h" help:"How long after a withdrawal its sender may not invite that member again."`
	BrokerSweep      time.Duration `env:"ACQUAINT_BROKER_SWEEP" default:"5s" help:"How often to look for notifications whose wake-up was lost."`
}

func (s serverSettings) config(log *slog.Logger) app.Config {
	config := app.DefaultConfig()
	config.Listen = s.Listen
	config.DatabaseURL = s.url()
	config.AllowedOrigins = s.AllowedOrigins
	config.Introspection = s.Introspection
	config.Playground = s.Playground
	config.MetricsListen = s.MetricsListen
	config.Policy = network.Policy{NoteMax: s.NoteMax, ReinviteCooldown: s.ReinviteCooldown}
	config.BrokerSweep = s.BrokerSweep
	config.Log = log
	return config
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
	a, err := app.New(ctx, config)
	if err != nil {
		return err
	}
	started(a)
	return errors.Join(a.Serve(ctx), a.Close())
}
