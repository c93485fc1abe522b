// Command acquaint is the connections layer of a professional network: see README.md, or acquaint --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/acquaint/acquaint/internal/app"
)

const description = `The connections layer of a professional network, as a service: members invite each other, accept,
ignore, decline, withdraw and remove; everyone concerned learns of it at once, and nobody else does.
A GraphQL API over HTTP and websockets, on embedded SQLite or PostgreSQL.

To see it work:

  acquaint dev

To run it for real:

  ACQUAINT_JWT_SECRET=… acquaint serve --database-url postgres://…

Every setting is a flag or the environment variable beside it; the flag wins.`

// commands are the commands, each in a file of its own.
type commands struct {
	VersionFlag kong.VersionFlag `name:"version" help:"Print the version."`

	Dev     devCommand     `cmd:"" help:"Try it out: demo members, a sign-in page and GraphiQL, on SQLite. Never for production."`
	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to this version, and end."`
	Token   tokenCommand   `cmd:"" help:"Print a token signed with the secret, as the host application would make one."`
	Reports reportsCommand `cmd:"" help:"Deal with what members reported of other members."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are what a command writes to, and what tests change of it.
type streams struct {
	out, err io.Writer
	adjust   func(*app.Config) // changes what serve runs with; nil but in tests
}

func (s streams) configure(config *app.Config) {
	if s.adjust != nil {
		s.adjust(config)
	}
}

func main() { os.Exit(program(streams{out: os.Stdout, err: os.Stderr})) }

// program runs the command of this process until it has ended, or a signal ends it; a second one does so at once.
func program(s streams) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], s)
}

// exit is how kong's own ending (after --help) is caught, so that run can be tested.
type exit int

// run runs one command and gives the exit code: 0, 1 for a failure, 2 for a bad flag or setting.
func run(ctx context.Context, args []string, s streams) (code int) {
	defer func() {
		if e := recover(); e != nil {
			status, ok := e.(exit)
			if !ok {
				panic(e)
			}
			code = int(status)
		}
	}()
	parser, err := kong.New(&commands{},
		kong.Name("acquaint"), kong.Description(description), kong.Writers(s.out, s.err),
		kong.Exit(func(status int) { panic(exit(status)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": versionText()},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s),
	)
	if err != nil {
		panic(err) // the commands above are wrong
	}
	if len(args) == 0 || args[0] == "help" {
		args = append(args[min(1, len(args)):], "--help") // help serve is serve --help
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		help := "acquaint --help"
		if len(args) > 0 && !strings.HasPrefix(args[0], "-") && isCommand(parser, args[0]) {
			help = "acquaint " + args[0] + " --help"
		}
		fmt.Fprintf(s.err, "acquaint: %s (see %s)\n", oneLine(err), help)
		return 2
	}
	if err := parsed.Run(); err != nil {
		fmt.Fprintf(s.err, "acquaint: %s\n", oneLine(err))
		if errors.As(err, new(settingError)) {
			return 2
		}
		return 1
	}
	return 0
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func isCommand(parser *kong.Kong, name string) bool {
	return slices.ContainsFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == name })
}
