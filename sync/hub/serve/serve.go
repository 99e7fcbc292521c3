package serve

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tact-edge/tact/sync/hub"
	"github.com/tact-edge/tact/sync/hub/ledger"
	"github.com/tact-edge/tact/sync/mqtt"
	"github.com/tact-edge/tact/sync/wire"
)

// Hub is a hub that runs.
type Hub struct {
	cfg    Config
	keys   keys
	lock   *os.File
	ledger ledger.Ledger
	mind   *hub.Mind
	queue  *queue
	counts counts
	views  sync.Mutex // of ViewsFile
	away   away       // of the ledger's database

	scrubNext time.Time // when it is tried again; think's alone

	rounds   chan []job    // what gather has gathered
	openings chan *opening // batches to unpack

	client    *mqtt.Hub // nil without a broker
	publisher *publisher
	listener  net.Listener
	server    *http.Server
	fresh     fresh
	who       map[[32]byte]string // hash of a token -> source

	stop context.CancelFunc
	done sync.WaitGroup
	once sync.Once
	err  error
}

// Start starts a hub; it listens when Start returns. The broker may be away: the
// hub goes on trying. ctx ends it as Close does.
func Start(ctx context.Context, cfg Config) (*Hub, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	unpackers := make([]*wire.Unpacker, openers)
	for k := range unpackers {
		var err error
		if unpackers[k], err = wire.NewUnpacker(); err != nil {
			return nil, fmt.Errorf("start hub: %w", err)
		}
	}
	h := &Hub{cfg: cfg, queue: newQueue(), rounds: make(chan []job), openings: make(chan *opening, batchSize)}
	if err := h.open(ctx); err != nil {
		if h.ledger != nil {
			err = errors.Join(err, h.ledger.Close())
		}
		if h.listener != nil {
			h.listener.Close()
		}
		if h.lock != nil {
			h.lock.Close()
		}
		return nil, err
	}
	h.counts.scrub.Store(true) // the hub may have ended between an erasure and the scrubbing of the files
	ctx, h.stop = context.WithCancel(ctx)
	for _, p := range unpackers {
		h.done.Go(func() { h.unpack(ctx, p) })
	}
	h.done.Go(func() { h.gather(ctx) })
	h.done.Go(func() { h.think(ctx) })
	h.done.Go(func() {
		if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
			h.cfg.Tell.Error("http has ended", "error", err)
		}
	})
	h.done.Go(func() { h.tick(ctx) })
	if h.client != nil {
		h.publisher.start(ctx, &h.done)
		h.done.Go(func() { h.receive(ctx) })
		h.done.Go(func() {
			if err := h.client.Run(ctx); err != nil {
				h.cfg.Tell.Error("broker client has ended", "error", err)
			}
		})
	}
	context.AfterFunc(ctx, func() { h.Close() })
	return h, nil
}

// open makes all that Start needs.
func (h *Hub) open(ctx context.Context) (err error) {
	if h.lock, err = lockDir(h.cfg.Dir); err != nil {
		return err
	}
	if h.keys, err = loadKeys(h.cfg.Dir); err != nil {
		return err
	}
	h.ledger = h.cfg.Ledger
	if h.ledger == nil {
		if h.ledger, err = ledger.OpenSQLite(ctx, filepath.Join(h.cfg.Dir, LedgerFile)); err != nil {
			h.ledger = nil // a nil *Database in an interface is not nil
			return err
		}
	}
	h.mind, err = hub.New(hub.Config{Tenant: h.cfg.Tenant, Open: h.keys.open, Secret: h.keys.secret, Lease: h.cfg.Lease, Zone: h.cfg.Zone})
	if err != nil {
		return err
	}
	if h.cfg.Broker.Address != "" {
		h.client, err = mqtt.NewHub(mqtt.HubConfig{Broker: h.cfg.Broker, Tenant: h.cfg.Tenant, Boot: uint64(h.cfg.Now()),
			Filters: []string{wire.AllState(h.cfg.Tenant)}, // every hub wants all of it, what is retained too
			Shared:  []string{wire.AllUp(h.cfg.Tenant)}, Group: h.keys.group(),
			Link: h.link, Tell: h.note, TooLarge: h.tooLarge, Seed: uint64(h.cfg.Now())})
		if err != nil {
			return fmt.Errorf("start hub: %w", err)
		}
		h.publisher = newPublisher(h.client, h.keys.sign, &h.counts)
	}
	h.tokens()
	if h.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", h.cfg.HTTP); err != nil {
		return fmt.Errorf("start hub: %w: choose another address with --http", err)
	}
	h.server = h.newServer()
	return writeFile(filepath.Join(h.cfg.Dir, AddressFile), []byte(h.URL()+"\n"), 0o644)
}

// Addr is where HTTP listens.
func (h *Hub) Addr() net.Addr { return h.listener.Addr() }

// URL is the base of the hub's HTTP interface.
func (h *Hub) URL() string { return "http://" + h.listener.Addr().String() }

// OperatorToken is the token that may do everything.
func (h *Hub) OperatorToken() string { return h.keys.operator }

// SignKey is the key whose signature devices look for on everything that comes down.
func (h *Hub) SignKey() ed25519.PublicKey { return h.keys.sign.Public().(ed25519.PublicKey) }

// Ledger is where the hub keeps everything; for reading.
func (h *Hub) Ledger() ledger.Ledger { return h.ledger }

// Close ends the hub: requests that run are answered, presence says goodbye, and
// the ledger is closed. It may be called more than once.
func (h *Hub) Close() error {
	h.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		h.fresh.end()
		err := h.server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.server.Close() // a slow client does not hold the hub
		}
		h.stop()
		h.done.Wait()
		h.err = errors.Join(err, h.ledger.Close(), removeQuietly(filepath.Join(h.cfg.Dir, AddressFile)), h.lock.Close())
	})
	return h.err
}

func removeQuietly(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Publish puts a signed bundle in charge of a scope ("", "g/GROUP", "d/DEVICE").
func (h *Hub) Publish(ctx context.Context, file, signature []byte, scope string) error {
	if err := h.verify(file, signature); err != nil {
		return err
	}
	a, err := h.ask(ctx, hub.Publish{File: file, Signature: signature, Scope: scope})
	return errors.Join(err, a.Err)
}

// epochText prints a 64-bit number as text, as JSON documents carry it.
func epochText(n uint64) string { return strconv.FormatUint(n, 10) }

// ReadAddress returns the URL and the operator's token of the hub that runs in a folder.
func ReadAddress(dir string) (url, token string, err error) {
	u, err := os.ReadFile(filepath.Join(dir, AddressFile))
	if err != nil {
		return "", "", fmt.Errorf("find the hub of folder %s: it does not run, or runs elsewhere: %w", dir, err)
	}
	t, err := os.ReadFile(filepath.Join(dir, OperatorFile))
	if err != nil {
		return "", "", fmt.Errorf("read the operator's token: %w", err)
	}
	return strings.TrimSpace(string(u)), strings.TrimSpace(string(t)), nil
}
