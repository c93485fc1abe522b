// Package app is the composition root: it makes a running server of settings. The program and the end-to-end tests both
// use it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
	_ "time/tzdata" // a machine without time zones must still know the members'

	"github.com/google/uuid"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/broker"
	"github.com/acquaint/acquaint/internal/demo"
	"github.com/acquaint/acquaint/internal/export"
	"github.com/acquaint/acquaint/internal/feed"
	"github.com/acquaint/acquaint/internal/host"
	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/member"
	"github.com/acquaint/acquaint/internal/message"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/realtime"
	"github.com/acquaint/acquaint/internal/report"
	"github.com/acquaint/acquaint/internal/server"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/task"
	"github.com/acquaint/acquaint/internal/telemetry"
	"github.com/acquaint/acquaint/web"
)

// App is a server that listens.
type App struct {
	config    Config
	log       *slog.Logger
	telemetry *telemetry.Telemetry
	listener  net.Listener
	store     *store.Store
	broker    realtime.Broker
	inboxes   *realtime.Hub[notification.Notification]
	feeds     *realtime.Hub[feed.Entry]
	waker     notification.Waker
	network   *network.Service
	runner    *task.Runner
	server    *server.Server
	metrics   *metricsServer
	host      *host.Service
	stop      context.CancelFunc // ends what goes on in the background
	watching  sync.WaitGroup
}

// Now is the clock of a server: to the millisecond, which is what clients see and all that is kept.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// NewID makes a UUID of version 7, each greater than the one before.
func NewID() id.UUID { return id.UUID(uuid.Must(uuid.NewV7())) }

// New opens the database, brings it to this version, and listens. Serve answers; Close must be called.
func New(ctx context.Context, config Config) (a *App, err error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	config = config.completed()
	trusted, err := trustedDocuments(config)
	if err != nil {
		return nil, err
	}
	if config.Limits.Rates.TrustedProxies, err = server.ParseProxies(config.TrustedProxies); err != nil {
		return nil, &SettingError{"--trusted-proxies", err.Error()}
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	a = &App{config: config, log: config.Log, stop: stop}
	defer func() { //nolint:contextcheck // what ends may do so after ctx has
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()

	// First the address: a second server on the same one must not touch the database.
	if a.listener, err = net.Listen("tcp", config.Listen); err != nil { //nolint:noctx // local, and at once
		return a, fmt.Errorf("--listen: %w (--listen 127.0.0.1:0 takes any free port)", err)
	}
	if a.telemetry, err = telemetry.New(ctx, telemetry.Options{TracesURL: config.TracesURL, Log: config.Log}); err != nil {
		return a, fmt.Errorf("--otlp-endpoint: %w", err)
	}
	a.store, err = store.Open(ctx, config.DatabaseURL, store.Options{
		Log: config.Log, Observe: config.Observe, NoMigrate: config.NoMigrate, Migrations: config.Migrations, Trace: a.telemetry.Trace(),
	})
	if err != nil {
		return a, notOpened(err)
	}
	if err = a.openHubs(); err != nil { //nolint:contextcheck // the hubs end with Close, not with ctx
		return a, err
	}
	a.network = network.NewService(a.store, a.waker, config.Policy, config.Now, config.NewID)
	members := member.NewService(a.store, config.Now, config.NewID)
	verifier, err := auth.NewVerifier(background, auth.Config{
		Secret: []byte(config.JWTSecret), JWKSURL: config.JWKSURL, Issuer: config.JWTIssuer, Audience: config.JWTAudience,
	}, config.Now, config.Log)
	if err != nil {
		return a, err
	}
	ends := &access{authenticator: auth.NewAuthenticator(verifier, members, config.Now, config.Log)}
	a.host = host.NewService(store.Hosts{Store: a.store}, a.waker, ends, config.Now, config.NewID)
	face := graph.New(a.resolver(members), graph.Options{
		Introspection: config.Introspection, Limits: config.DocumentLimits, Trusted: trusted,
		BatchWait: config.BatchWait, Observer: a.telemetry, Log: config.Log,
	})

	options := server.Options{
		GraphQL: face, Authenticator: ends.authenticator,
		Origins: config.AllowedOrigins, Ready: a.store.Ready, Limits: config.Limits, Log: config.Log, DrainDelay: config.DrainDelay,
		Around: a.telemetry.Around, Limited: a.telemetry.Limited, SocketClosed: a.telemetry.SocketClosed,
	}
	switch {
	case config.Demo:
		d := demo.New(a.store, a.URL(), []byte(config.JWTSecret), config.Now, config.NewID)
		if err := d.Seed(ctx); err != nil {
			return a, fmt.Errorf("cannot make the demo members: %w", err)
		}
		options.Pages = d.Pages(web.Pages(true))
	case config.Playground:
		options.Pages = web.Pages(false)
	}
	a.server = server.New(options)
	ends.server = a.server
	a.watch()
	if config.MetricsListen != "" {
		if a.metrics, err = newMetricsServer(config.MetricsListen, a.telemetry); err != nil {
			return a, err
		}
	}
	a.startTasks(background, ends)
	return a, nil
}

// notOpened names the setting where it is that of a database which cannot be written to.
func notOpened(err error) error {
	if errors.Is(err, store.ErrUnwritable) {
		return &SettingError{"--database-url", err.Error()}
	}
	return err
}

// resolver makes what the API calls.
func (a *App) resolver(members *member.Service) *graph.Resolver {
	return &graph.Resolver{
		Members:       members,
		Network:       a.network,
		Messages:      message.NewService(store.Messages{Store: a.store}, a.waker, a.config.Now, a.config.NewID),
		Notifications: notification.NewService(a.store, a.waker, a.config.Now, a.config.NewID),
		Host:          a.host,
		Reports:       report.NewService(store.Reports{Store: a.store}, a.config.Now, a.config.NewID),
		Exports:       export.NewService(a.store),
		Inboxes:       a.inboxes,
		Feeds:         a.feeds,
	}
}

// trustedDocuments reads the documents of the setting, if there are any, and checks them.
func trustedDocuments(config Config) (graph.TrustedDocuments, error) {
	if config.TrustedDocuments == "" {
		return nil, nil
	}
	trusted, err := graph.ReadTrustedDocuments(config.TrustedDocuments)
	if err != nil {
		return nil, &SettingError{"--trusted-documents", err.Error()}
	}
	if err := trusted.Check(config.DocumentLimits); err != nil {
		return nil, &SettingError{"--trusted-documents", config.TrustedDocuments + ": " + err.Error()}
	}
	return trusted, nil
}

// openHubs makes what wakes subscriptions; it ends with Close.
func (a *App) openHubs() error {
	var err error
	switch name := a.config.broker(); name {
	case BrokerLocal:
		a.broker = &broker.Local{}
	case BrokerPostgres:
		a.broker, err = broker.NewPostgres(a.config.DatabaseURL, a.log)
	default:
		a.broker, err = broker.NewNATS(name, a.log)
	}
	if err != nil {
		return fmt.Errorf("--broker: %w", err)
	}
	hubs := realtime.Options{Sweep: a.config.BrokerSweep, Now: a.config.Now, Logger: a.log}
	a.inboxes = realtime.NewHub[notification.Notification](store.Inboxes{Store: a.store}, a.broker, hubs)
	a.waker = a.telemetry.Waker(a.inboxes)
	hubs.Log = notification.FeedLog
	a.feeds = realtime.NewHub[feed.Entry](store.Feeds{Store: a.store}, a.broker, hubs)
	return nil
}

// URL is where the server can be reached, as in http://127.0.0.1:8080.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() }

// MetricsURL is where its metrics are, or "" for nowhere.
func (a *App) MetricsURL() string {
	if a.metrics == nil {
		return ""
	}
	return "http://" + a.metrics.listener.Addr().String()
}

// Serve answers until ctx ends, then drains: requests in flight finish, sockets close with 1001.
func (a *App) Serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- a.server.Serve(a.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	a.log.InfoContext(ctx, "shutting down")
	if err := a.server.Shutdown(context.WithoutCancel(ctx)); err != nil {
		a.log.WarnContext(ctx, "not everything finished in time", "error", err)
	}
	return <-failed
}

// Close lets go of everything. Call it after Serve has returned.
func (a *App) Close() error {
	a.stop()
	a.watching.Wait()
	var errs []error
	if a.metrics != nil {
		errs = append(errs, a.metrics.Close())
	}
	if a.listener != nil {
		if err := a.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.runner != nil {
		a.runner.Close()
	}
	if a.inboxes != nil {
		a.inboxes.Close()
	}
	if a.feeds != nil {
		a.feeds.Close()
	}
	if a.broker != nil {
		errs = append(errs, a.broker.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.telemetry != nil {
		a.telemetry.Close()
	}
	return errors.Join(errs...)
}

// BrokerConnected reports whether hints pass between this server and others on its database.
func (a *App) BrokerConnected() bool { return a.broker.Connected() }
