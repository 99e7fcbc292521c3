package demo

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/actions/policy"
	"github.com/tact-edge/tact/agent"
	"github.com/tact-edge/tact/agent/local"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/firmware/board"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/hub/serve"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/mqtt/embedded"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// The folder of the demo's policy, as its author wrote it.
//
//go:embed policy
var policyFiles embed.FS

// Names in the world.
const (
	tenant = "demo"
	crm    = "crm"
	shop   = "shop"
	mailer = "mail"
)

// world is all that runs.
type world struct {
	caller caller
	dir    string
	tell   *slog.Logger
	drive  int // how fast the drive is played
	policy *catalog.Bundle
	file   []byte // the bundle
	signed []byte // its signature

	broker   *embedded.Broker
	network  *relay
	hub      *serve.Hub
	office   *office
	receiver *receiver

	kiosk, car, wearable *device

	closers []func() error // in order of starting
	people  presence
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// devices in the order in which they are listed.
func (w *world) devices() []*device { return []*device{w.kiosk, w.car, w.wearable} }

// begin makes the folder, compiles and signs the policy.
func (w *world) begin() (err error) {
	if w.dir, err = os.MkdirTemp("", "tact-demo-"); err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	w.closers = append(w.closers, func() error { return os.RemoveAll(w.dir) })
	files, err := fs.Sub(policyFiles, "policy")
	if err != nil {
		return err
	}
	folder := filepath.Join(w.dir, "policy")
	if err := os.CopyFS(folder, files); err != nil {
		return fmt.Errorf("write the demo's policy: %w", err)
	}
	b, findings, err := policy.Compile(folder)
	if err != nil {
		return fmt.Errorf("compile the demo's policy: %w", err)
	}
	if len(findings) > 0 || b == nil {
		text := &strings.Builder{}
		err := policy.PrintFindings(text, findings, func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(folder, file)) })
		return errors.Join(fmt.Errorf("the demo's policy is not good:\n%s", text), err)
	}
	w.policy, w.file = b, catalog.Encode(b)
	return nil
}

// name is the policy's, as devices say it.
func (w *world) name() string { return fmt.Sprintf("%s@%d", w.policy.Name, w.policy.Version) }

// start starts broker, hub and devices. Devices have no policy yet.
func (w *world) start(ctx context.Context) error {
	ctx, w.stop = context.WithCancel(ctx)
	public, secret, err := update.NewKeys(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key for the demo: %w", err)
	}
	if w.signed, err = update.Sign(w.file, secret, w.name()); err != nil {
		return fmt.Errorf("sign the demo's policy: %w", err)
	}
	if w.broker, err = embedded.Start("127.0.0.1:0"); err != nil {
		return err
	}
	w.closers = append(w.closers, w.broker.Close)
	if w.network, err = startRelay(strings.TrimPrefix(w.broker.Address(), "tcp://")); err != nil {
		return err
	}
	w.closers = append(w.closers, w.network.Close)
	trusted := []update.PublicKey{public}
	if err := w.startHub(ctx, trusted); err != nil {
		return err
	}
	if w.receiver, err = startReceiver(ctx, w.drive); err != nil {
		return err
	}
	w.closers = append(w.closers, w.receiver.Close)
	if w.kiosk, err = w.startDevice(ctx, trusted, agent.Config{Device: "kiosk-1", Slots: []string{"kiosk.home", "kiosk.till", "kiosk.travel"}}); err != nil {
		return err
	}
	if w.car, err = w.startDevice(ctx, trusted, agent.Config{Device: "car-1", Slots: []string{"dash.card"}, Owners: []event.Owner{{Kind: "vehicle", ID: "car-1"}},
		Sources: []board.Config{{Kind: "nmea", Name: "gnss", TCP: w.receiver.listener.Addr().String()}}, Ports: board.Host(), SourceNames: []string{"gnss"}}); err != nil {
		return err
	}
	w.wearable, err = w.startDevice(ctx, trusted, agent.Config{Device: "wearables-1", Slots: []string{"wrist"}})
	return err
}

// live lets the sensors speak from now on; the first readings are in when it returns.
func (w *world) live(ctx context.Context) error {
	if err := w.people.tell(ctx, w); err != nil {
		return err
	}
	ctx, quit := context.WithCancel(ctx)
	stop := w.stop // ends what was started before
	w.stop = func() { stop(); quit() }
	w.done.Go(func() { w.people.keep(ctx, w) })
	return nil
}

func (w *world) startHub(ctx context.Context, trusted []update.PublicKey) (err error) {
	w.office = &office{tokens: map[string]string{}, caller: w.caller}
	for _, silo := range []string{crm, shop, mailer} {
		token := make([]byte, 16)
		rand.Read(token)
		w.office.tokens[silo] = hex.EncodeToString(token)
	}
	w.hub, err = serve.Start(context.WithoutCancel(ctx), serve.Config{Dir: filepath.Join(w.dir, "hub"), Tenant: tenant, HTTP: "127.0.0.1:0",
		Broker: mqtt.Broker{Address: w.broker.Address()}, Sources: w.office.tokens, Trusted: trusted, Tell: w.tell.With("of", "hub")})
	if err != nil {
		return err
	}
	w.closers = append(w.closers, w.hub.Close)
	w.office.url, w.office.operator = w.hub.URL(), w.hub.OperatorToken()
	return nil
}

// startDevice starts an agent with its local API and follows its stream. It
// comes back within a second after the network was away.
func (w *world) startDevice(ctx context.Context, trusted []update.PublicKey, cfg agent.Config) (*device, error) {
	d := &device{name: cfg.Device, caller: w.caller}
	cfg.Tenant, cfg.Dir, cfg.Trusted = tenant, filepath.Join(w.dir, cfg.Device), trusted
	rand.Read(cfg.DeviceKey[:])
	cfg.Broker = &mqtt.Broker{Address: w.network.Address(), ClientID: cfg.Device, Username: cfg.Device}
	cfg.HubKeys = wire.KeysOf(w.hub.SignKey())
	cfg.Session = uplink.Config{Linger: 200, Retry: 250, MaxRetry: 1000}
	cfg.Tell = w.tell.With("of", cfg.Device)
	var err error
	if err = os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for %s: %w", d.name, err)
	}
	if d.agent, err = agent.Start(context.WithoutCancel(ctx), cfg); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.name, err)
	}
	if d.face, err = local.Listen(local.Config{Listen: "127.0.0.1:0"}, d.agent); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", d.name, err), d.agent.Close())
	}
	d.url = "http://" + d.face.Addr()
	d.follow(ctx)
	w.closers = append(w.closers, d.close)
	return d, nil
}

// close stops everything in the opposite order of starting, and removes the folder.
func (w *world) close() error {
	if w.stop != nil {
		w.stop()
	}
	w.done.Wait()
	w.caller.hangUp()
	var errs []error
	for k := len(w.closers) - 1; k >= 0; k-- {
		errs = append(errs, w.closers[k]())
	}
	return errors.Join(errs...)
}

// presence is the people of the world, as far as plain sensors see them: who
// stands before the kiosk, sits in the car, wears a watch and walks. It tells the
// devices four times a second, as sensors do.
type presence struct {
	mu      sync.Mutex
	outside float64  // temperature, °C
	wearers []string // sessions of the gateway
	walker  string   // the one of them who walks
	goal    float64  // metres beyond the border to which the walker walks
	at      float64  // where the walker is; negative before the border
}

const (
	sensorsEvery = 250 * time.Millisecond
	walkingPace  = 4.9 // km/h
	accuracy     = 1   // metre, of the walker's watch
)

// keep runs until ctx ends. A device that is busy hears the next reading.
func (p *presence) keep(ctx context.Context, w *world) {
	tick := time.NewTicker(sensorsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.tell(ctx, w); err != nil && ctx.Err() == nil {
			w.tell.Error("sensors could not speak", "error", err) // they speak again, and what stays away the story misses
		}
	}
}

// tell says how it is.
func (p *presence) tell(ctx context.Context, w *world) error {
	here := line("signal", "presence", "value", true)
	p.mu.Lock()
	outside := p.outside
	p.mu.Unlock()
	return errors.Join(
		w.kiosk.post(ctx, here, line("signal", "people", "value", 1)),
		w.car.post(ctx, here, line("signal", "temperature", "value", outside)),
		w.wearable.post(ctx, append(p.readings(), here)...))
}

// readings are those of the wearers, a step further on.
func (p *presence) readings() (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.wearers {
		if s != p.walker {
			lines = append(lines, line("signal", "speed", "value", 0.0, "session", s))
			continue
		}
		pace := 0.0
		if p.at < p.goal {
			pace = walkingPace
			p.at += walkingPace / 3.6 * sensorsEvery.Seconds()
		}
		where := struct {
			Lat      float64 `json:"lat"`
			Lon      float64 `json:"lon"`
			Accuracy float64 `json:"accuracy"`
		}{51.45 - p.at/111_195, 4.6, accuracy}
		lines = append(lines, line("signal", "speed", "value", pace, "session", s), line("signal", "position", "value", where, "session", s))
	}
	return lines
}

// weather sets the temperature outside the car, told with the next reading.
func (p *presence) weather(outside float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.outside = outside
}

// wear lets somebody wear a watch of the gateway.
func (p *presence) wear(session string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wearers = append(p.wearers, session)
}

// stand puts a wearer somewhere, in metres beyond the border.
func (p *presence) stand(session string, at float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.walker, p.at, p.goal = session, at, at
}

// walk lets the one who stands walk to a place.
func (p *presence) walk(to float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.goal = to
}

// arrived says whether the walker is where she walked to.
func (p *presence) arrived() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at >= p.goal
}
