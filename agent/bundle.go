package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/agent/engine"
	"github.com/tact-edge/tact/context/moment"
	"github.com/tact-edge/tact/context/sense"
	"github.com/tact-edge/tact/firmware/update"
	"github.com/tact-edge/tact/sync/uplink"
	"github.com/tact-edge/tact/sync/wire"
)

// wants is what the hub wants of the device, as last said; it is kept on disk, so
// that the hub's key is known offline and an old want is not taken again.
type wants struct {
	Device wire.Want            `json:"device"`
	Groups map[string]wire.Want `json:"groups,omitempty"`
}

// BundleFolder is where the bundles are, below Config.Dir.
const BundleFolder = "bundles"

const (
	wantsFile  = "want.json"
	mostWants  = 1 << 20
	mostGroups = 16
)

// bundle is the one to run: the device's own want stands above its groups'.
func (w *wants) bundle(groups []string) *wire.WantBundle {
	if w.Device.Bundle != nil {
		return w.Device.Bundle
	}
	for _, g := range groups {
		if b := w.Groups[g].Bundle; b != nil {
			return b
		}
	}
	return nil
}

func (a *Agent) loadWants() error {
	raw, err := a.folder.Read(wantsFile, mostWants)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", wantsFile, err)
	}
	if json.Unmarshal(raw, &a.wants) != nil {
		a.wants = wants{} // the hub says it again
		a.tell.Warn("what the hub wanted cannot be read, and is waited for", "file", wantsFile)
	}
	a.setHubKey()
	return nil
}

func (a *Agent) takeWant(w uplink.Want) {
	if w.Group == "" {
		a.wants.Device = w.Want
	} else {
		if a.wants.Groups == nil {
			a.wants.Groups = map[string]wire.Want{}
		}
		if _, known := a.wants.Groups[w.Group]; known || len(a.wants.Groups) < mostGroups {
			a.wants.Groups[w.Group] = w.Want
		}
	}
	if raw, err := json.Marshal(a.wants); err != nil {
		a.tell.Error("want cannot be kept", "error", err)
	} else if err := a.folder.Replace(wantsFile, raw); err != nil {
		a.tell.Error("want cannot be kept", "error", err)
	}
	if a.setHubKey() {
		a.lent.Keyed(a.stamp.now())
		if a.link != nil {
			a.link.Appended() // records that waited for the key may go now
		}
	}
	a.fetchWanted()
}

// setHubKey says whether another key is known from now on.
func (a *Agent) setHubKey() bool {
	key := a.wants.Device.HubKey
	for _, g := range a.cfg.Groups {
		if key == nil {
			key = a.wants.Groups[g].HubKey
		}
	}
	if len(key) != 32 || string(key) == string(a.hubKey()) {
		return false
	}
	a.seal.Store(&key)
	return true
}

func (a *Agent) hubKey() []byte {
	if k := a.seal.Load(); k != nil {
		return *k
	}
	return nil
}

// fetch is a bundle that is on its way, in chunks.
type fetch struct {
	want    *wire.WantBundle // nil where none is
	chunks  [][]byte
	missing int
	due     sense.Instant // when the next chunks are asked for
	refused string        // the one that was refused, see identity: it is not fetched again
}

const (
	chunksAtOnce = 8
	fetchRetry   = 10 * sense.Second
)

func (f *fetch) restart(now sense.Instant) {
	if f.want != nil {
		f.due = now
	}
}

func (f *fetch) stop() { f.want, f.chunks, f.missing, f.due = nil, nil, 0, sense.Never }

// fetchWanted begins to fetch the bundle that is wanted, unless it is here.
func (a *Agent) fetchWanted() {
	w := a.wants.bundle(a.cfg.Groups)
	switch {
	case w == nil:
		a.fetch.stop()
	case w.SHA256 == a.present.SHA256:
		a.fetch.stop()
		a.report("")
	case a.fetch.want != nil && a.fetch.want.SHA256 == w.SHA256 || identity(w) == a.fetch.refused:
	case w.Size <= 0 || w.Size > update.MaxBundle:
		a.refuse(w, fmt.Errorf("%w: it has %d bytes, 1 to %d are allowed", update.ErrBroken, w.Size, update.MaxBundle))
	default:
		n := (w.Size + wire.ChunkSize - 1) / wire.ChunkSize
		a.fetch.want, a.fetch.chunks, a.fetch.missing = w, make([][]byte, n), int(n)
		a.tell.Info("fetching bundle", "bundle", w.Name+"@"+w.Version, "bytes", w.Size)
		a.fetchMore(a.stamp.now())
	}
}

// identity of a wanted bundle: the same file may come with a better signature.
func identity(w *wire.WantBundle) string { return w.SHA256 + w.Signature }

// fetchMore asks for the next chunks that are missing.
func (a *Agent) fetchMore(now sense.Instant) {
	f := &a.fetch
	f.due = sense.Never
	if f.want == nil || a.link == nil {
		return
	}
	first := 0
	for first < len(f.chunks) && f.chunks[first] != nil {
		first++
	}
	id := "blob-" + f.want.SHA256[:min(8, len(f.want.SHA256))] + "-" + strconv.Itoa(first)
	a.tellLink(uplink.Ask{ID: id, Request: &wire.BundleRequest{ID: id, SHA256: f.want.SHA256, Index: uint32(first), Count: uint32(min(chunksAtOnce, len(f.chunks)-first))}})
	f.due = now.Add(fetchRetry)
}

// blob takes one chunk; with the last one the bundle is put in charge.
func (a *Agent) blob(ctx context.Context, m *wire.Blob) error {
	f := &a.fetch
	if f.want == nil || m.ID != f.want.SHA256 || int(m.Of) != len(f.chunks) || int(m.Index) >= len(f.chunks) {
		return nil // of another file, or late
	}
	if f.chunks[m.Index] == nil {
		f.chunks[m.Index] = append([]byte{}, m.Bytes...)
		f.missing--
	}
	if f.missing > 0 {
		if next := int(m.Index) + 1; next == len(f.chunks) || next%chunksAtOnce == 0 {
			a.fetchMore(a.stamp.now())
		}
		return nil
	}
	w, data := f.want, []byte{}
	for _, c := range f.chunks {
		data = append(data, c...)
	}
	f.stop()
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != w.SHA256 {
		a.refuse(w, fmt.Errorf("%w: its hash is not the one that was wanted", update.ErrBroken))
		return nil
	}
	return a.install(ctx, data, []byte(w.Signature), w)
}

// install verifies, keeps and puts a bundle in charge; a refused one leaves the
// old one and is reported. The snapshot before it means that no record above it
// needs the symbols of the old bundle.
func (a *Agent) install(ctx context.Context, data, signature []byte, w *wire.WantBundle) error {
	staged, err := a.bundles.Stage(data, signature)
	if err != nil {
		a.refuse(w, err)
		return nil
	}
	a.save()
	if a.failed != nil {
		return a.failed
	}
	if err := a.bundles.Activate(staged); err != nil {
		a.refuse(w, err)
		return nil
	}
	u := a.load(&staged)
	a.tell.Info("bundle is in charge", "bundle", a.present.Name+"@"+a.present.Version)
	a.fetch.refused = ""
	a.touched()
	if _, err := a.step(ctx, engine.Input{At: a.stamp.now(), Bundle: u}, nil); err != nil {
		return err
	}
	a.describeNow()
	a.report("")
	a.lent.Policy(a.stamp.now()) // once the hub knows by what it lends
	return nil
}

// load makes the symbols of a bundle that the store has read those of the body.
func (a *Agent) load(read *update.Bundle) *engine.BundleUpdate {
	b := read.Content.(*catalog.Bundle)
	s := symbolsOf(wire.BundleID(read.Hash[:8]), catalog.Symbols(b))
	a.body.names = s
	a.tables[s.bundle] = s
	clear(a.catalogs) // what was decided by one before is in the snapshot
	a.catalogs[s.bundle] = b
	a.present = wire.BundleRef{Name: b.Name, Version: strconv.FormatInt(b.Version, 10), SHA256: hex.EncodeToString(read.Hash[:])}
	name := a.present.Name + "@" + a.present.Version
	a.inCharge.Store(&name)
	return &engine.BundleUpdate{Bundle: b, Hash: read.Hash}
}

// refuse leaves the old bundle in charge and says why.
func (a *Agent) refuse(w *wire.WantBundle, err error) {
	a.fetch.stop()
	a.fetch.refused = identity(w)
	a.tell.Error("bundle was refused, the present one stays in charge", "bundle", w.Name+"@"+w.Version, "error", err)
	a.report(err.Error())
}

// report tells the hub what was applied of its want.
func (a *Agent) report(bundleError string) {
	if len(bundleError) > 1024 {
		bundleError = bundleError[:1024]
	}
	r := wire.Reported{Revision: a.wants.Device.Revision, Items: []wire.Item{{Name: "bundle", Error: bundleError}}, Bundle: a.present}
	payload, err := wire.EncodeJSON(r)
	if err != nil {
		a.tell.Error("report cannot be sent", "error", err)
		return
	}
	a.tellLink(uplink.Send{Plane: wire.State, Class: wire.ClassReport, Payload: payload})
}

// readBundle is the decoder of update.Store.
func readBundle(data []byte) (name string, version int64, content any, err error) {
	b, err := decodeBundle(data)
	if err != nil {
		return "", 0, nil, err
	}
	return b.Name, b.Version, b, nil
}

// provision puts the bundle of a file in charge where it is newer than what is
// active. A file that is no good is an error only where there is nothing to go on with.
func (a *Agent) provision() error {
	path := a.cfg.BundleFile
	if path == "" {
		return nil
	}
	err := a.provisionFile(path)
	if err == nil {
		return nil
	}
	if _, none := a.bundles.Active(); none != nil {
		return err
	}
	a.tell.Error("the provisioned bundle is refused, the present one stays in charge", "error", err)
	return nil
}

// provisionFile stages and activates the bundle of a file, with its signature beside it.
func (a *Agent) provisionFile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read bundle: %w", err)
	}
	if present, err := a.bundles.Active(); err == nil && present.Damage == nil && bytes.Equal(present.Data, data) {
		return nil // as at every start but the first; writing it again would cost one its time
	}
	signature, err := os.ReadFile(path + ".minisig")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read bundle: %w", err)
	}
	staged, err := a.bundles.Stage(data, signature)
	if err == nil {
		err = a.bundles.Activate(staged)
	}
	if errors.Is(err, update.ErrOlder) {
		return nil // the hub has sent a newer one since
	}
	if err != nil {
		return fmt.Errorf("bundle %s: %w", path, err)
	}
	return nil
}

// decodeBundle reads a bundle that this agent can decide by: sound, and with conditions that can be evaluated.
func decodeBundle(data []byte) (*catalog.Bundle, error) {
	b, err := catalog.Decode(data)
	if err != nil {
		return nil, err
	}
	if err := moment.Check(b); err != nil {
		return nil, fmt.Errorf("decode bundle: %w: %w", err, catalog.ErrBundle)
	}
	return b, nil
}
