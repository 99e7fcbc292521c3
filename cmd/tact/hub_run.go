package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tact-edge/tact/agent/zones"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// hubRun is what hub run was told.
type hubRun struct {
	dir, tenant, http, bundle, lease, ledger string
	trust, sources                           []string
	broker                                   hubBroker
}

func newHubRunCommand(a *app) *cobra.Command {
	o := &hubRun{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "run the hub until it is stopped",
		Long: `Run the hub until it is stopped (Ctrl-C, SIGTERM).

The folder is made at the first start, with keys and an operator's token of its
own. Devices trust the key in its file ` + serve.SignPubFile + `. Back up the folder.

--source names who may feed events and ask, with a token of at least 8
characters, or @FILE with the token in it: other users of this machine can read
a command line. Several may be given.

The broker is Mosquitto as 'tact hub broker-config' configures it, or one inside:
--listen-tls lets devices in that have a certificate of the authority in
--broker-ca, --embedded-broker everybody on this machine. The certificate that the
hub shows to --broker, or devices see at --listen-tls, is --broker-cert.

--ledger names where the hub keeps what it knows: sqlite:PATH, or a PostgreSQL
database as in postgres://tact@db.local/tact. The password comes from PGPASSWORD
or ~/.pgpass.`,
		Example: `  tact hub run --embedded-broker 127.0.0.1:1883 --bundle shop.bundle --trust shop.pub --source crm=@crm.token
  tact hub run --broker ssl://broker.local:8883 --broker-ca ca.crt --broker-cert hub.crt --broker-key hub.key --dir /var/lib/tact-hub
  tact hub run --listen-tls :8883 --broker-ca ca.crt --broker-cert broker.crt --broker-key broker.key`,
		Args: noArguments,
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", hubDir, "folder of the hub: keys, token, ledger")
	f.StringVar(&o.tenant, "tenant", "main", "tenant whose devices it serves")
	f.StringVar(&o.http, "http", "127.0.0.1:7480", "address of the HTTP interface; port 0 takes a free one")
	o.broker.flags(cmd)
	f.StringVar(&o.bundle, "bundle", "", "signed bundle to put in charge; its signature is in FILE.minisig")
	f.StringSliceVar(&o.trust, "trust", nil, "public key whose bundles are trusted; may be given several times")
	f.StringArrayVar(&o.sources, "source", nil, "NAME=TOKEN or NAME=@FILE; may be given several times")
	f.StringVar(&o.lease, "lease", "7d", "how long a device may hold a slice without hearing from the hub")
	f.StringVar(&o.ledger, "ledger", "", "sqlite:PATH or postgres://USER@HOST/DATABASE (default: the file "+serve.LedgerFile+" in --dir)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.hubRun(cmd.Context(), o) }
	return cmd
}

func (a *app) hubRun(ctx context.Context, o *hubRun) error {
	a = &app{stdin: a.stdin, stdout: a.stdout, stderr: &oneAtATime{w: a.stderr}} // the hub talks from several goroutines
	cfg := serve.Config{Dir: o.dir, Tenant: o.tenant, HTTP: o.http, Zone: zones.Zone, Tell: slog.New(slog.NewTextHandler(a.stderr, nil))}
	var err error
	if cfg.Sources, err = sourcesOf(o.sources); err != nil {
		return err
	}
	if cfg.Trusted, err = publicKeys(o.trust); err != nil {
		return err
	}
	if cfg.Lease, err = sense.ParseDuration(o.lease); err != nil || cfg.Lease <= 0 || cfg.Lease == sense.Forever {
		return usage(fmt.Errorf("--lease %q is not a duration, as in 7d", o.lease))
	}
	var file, signature []byte
	if o.bundle != "" {
		if len(o.trust) == 0 {
			return usage(errors.New("--bundle wants --trust NAME.pub: the key whose bundles are trusted"))
		}
		if file, err = readSmall(o.bundle, update.MaxBundle); err != nil {
			return err
		}
		if signature, err = readSmall(o.bundle+".minisig", maxKeyFile); err != nil {
			return err
		}
	}
	var end func()
	if cfg.Broker, end, err = o.broker.open(a, o.tenant); err != nil {
		return err
	}
	defer end()
	if o.ledger != "" {
		l, err := ledger.Open(ctx, o.ledger)
		if err != nil {
			return startError(err)
		}
		defer l.Close() // where the hub does not start; else the hub has closed it
		cfg.Ledger = l
	}
	h, err := serve.Start(ctx, cfg)
	if err != nil {
		return startError(err)
	}
	if file != nil {
		err := h.Publish(ctx, file, signature, "")
		switch {
		case errors.Is(err, hub.ErrOlder): // a newer one was published since this command line was written
			a.say("%s stays unused: %v", o.bundle, err)
		case err != nil:
			return errors.Join(fmt.Errorf("%s: %w", o.bundle, err), h.Close())
		}
	}
	a.say("hub of tenant %s listens on %s, folder %s", o.tenant, h.URL(), o.dir)
	if len(cfg.Sources) == 0 {
		a.say("no source may feed events: name one with --source NAME=TOKEN")
	}
	if cfg.Broker.Address == "" {
		a.say("no devices: name a broker with --broker, --embedded-broker or --listen-tls")
	}
	<-ctx.Done()
	return h.Close()
}

// sourcesOf reads NAME=TOKEN and NAME=@FILE.
func sourcesOf(list []string) (map[string]string, error) {
	sources := map[string]string{}
	for _, s := range list {
		name, token, ok := strings.Cut(s, "=")
		if !ok || name == "" || token == "" {
			return nil, usage(fmt.Errorf("--source %q is not NAME=TOKEN or NAME=@FILE", name))
		}
		if sources[name] != "" {
			return nil, usage(fmt.Errorf("--source %s is given twice", name))
		}
		var err error
		if sources[name], err = tokenOf(token); err != nil {
			return nil, err
		}
	}
	return sources, nil
}

// startError gives what stops a start its exit code.
func startError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, serve.ErrRunning):
		return busy(err)
	case errors.Is(err, ledger.ErrNewer):
		return configuration(err)
	case errors.Is(err, ledger.ErrSetting):
		return usage(fmt.Errorf("--ledger: %w", err))
	case errors.Is(err, ledger.ErrUnavailable):
		return unreachable(err)
	}
	return err
}

// oneAtATime keeps lines of several goroutines apart.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(b)
}
