package houserules

import "maps"

// module is the path that every room's import path begins with.
const module = "github.com/tact-edge/tact/"

// room is one package of the house.
type room struct {
	// pure: a function of its inputs. Its imports from the standard library are
	// those of pureStandard and the room's own; other rooms may use all of it.
	pure bool
	// clockless: time is virtual there, though it may do what pure rooms may not.
	clockless bool
	// imports are the rooms, the modules, and for pure rooms the further standard
	// packages that it may import directly, each with the reason.
	imports map[string]string
}

// pureStandard is what every pure room may import.
var pureStandard = map[string]string{
	"bytes":           "bytes",
	"container/heap":  "queues",
	"cmp":             "order",
	"encoding/binary": "numbers as bytes",
	"encoding/hex":    "bytes as text",
	"errors":          "errors",
	"fmt":             "errors and text",
	"iter":            "sequences",
	"maps":            "copies; what ranges is judged where it ranges",
	"math":            "only the exact functions, see exactMath",
	"math/bits":       "whole numbers",
	"slices":          "lists",
	"sort":            "order",
	"strconv":         "numbers as text",
	"strings":         "text",
	"unicode":         "text",
	"unicode/utf16":   "text",
	"unicode/utf8":    "text",
}

// rooms is the house, from the ground up. A line points down only: TestArrows
// checks that no room imports one that stands below it in this list.
var rooms = []struct {
	path string
	room
}{
	{"context/sense", room{pure: true, imports: map[string]string{
		"encoding/json": "text as JSON",
		"time":          "instants as RFC 3339; no clock",
	}}},
	{"context/event", room{pure: true, imports: map[string]string{
		"context/sense": "values",
		"bufio":         "lines of a stream that the caller opened",
		"io":            "the same",
		"time":          "RFC 3339; no clock",
	}}},
	{"context/place", room{pure: true, imports: map[string]string{
		"context/sense": "points",
	}}},
	{"context/rule", room{pure: true, imports: map[string]string{
		"context/sense": "values",
		"context/event": "subjects",
	}}},
	{"actions/catalog", room{pure: true, imports: map[string]string{
		"context/sense":                    "values",
		"context/event":                    "subjects and words",
		"context/place":                    "the shapes of places travel in the bundle",
		"context/rule":                     "the compiled program travels in the bundle",
		"crypto/sha256":                    "the hash of images",
		"github.com/tinylib/msgp/msgp":     "the bundle's form",
		"github.com/klauspost/compress/s2": "the bundle's size",
	}}},
	{"context/profile", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "what it folds",
		"actions/catalog": "declared retention, freshness and purposes",
	}}},
	{"context/moment", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "what it folds",
		"context/place":   "inside and entered",
		"context/profile": "facts and history",
		"context/rule":    "the program that it feeds",
		"actions/catalog": "what is declared",
	}}},
	{"actions/guard", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "subjects",
		"context/profile": "history",
		"context/rule":    "three values",
		"actions/catalog": "what is declared",
		"crypto/sha256":   "who is in a control group is a function of identity",
	}}},
	{"actions/contact", room{pure: true, imports: map[string]string{
		"context/sense":   "instants",
		"context/event":   "outcomes",
		"context/profile": "history",
		"actions/catalog": "what is declared",
		"actions/guard":   "the same list of reasons",
	}}},
	{"actions/learn", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"actions/catalog": "what is declared",
		"math/rand/v2":    "a fresh generator from a seed, see seeded",
	}}},
	{"actions/arbiter", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"actions/catalog": "what is declared",
		"math/rand/v2":    "a fresh generator from a seed, see seeded",
	}}},
	{"actions/policy/reach", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/rule":    "the program that it reasons over",
		"actions/catalog": "what is declared",
	}}},
	{"actions/register", room{pure: true, imports: map[string]string{
		"context/sense":   "durations",
		"context/event":   "provenances",
		"context/rule":    "what conditions read",
		"actions/catalog": "the bundle that it describes",
		"encoding/csv":    "the register as CSV",
		"encoding/json":   "the register as JSON",
		"io":              "where the caller wants it",
	}}},
	{"actions/policy", room{imports: map[string]string{
		"actions/policy/reach":        "what the compiled conditions can and cannot be",
		"context/sense":               "values",
		"context/event":               "subjects",
		"context/place":               "shapes",
		"context/rule":                "the program that it compiles to",
		"actions/catalog":             "the bundle that it makes",
		"actions/guard":               "the closed lists of reasons and states",
		"cel.dev/cel-go/":             "conditions; the only room that knows it",
		"go.yaml.in/yaml/v3":          "policy files",
		"google.golang.org/genproto/": "the checked form of cel-go",
		"google.golang.org/protobuf/": "the same",
		"github.com/paulmach/orb":     "shapes from GeoJSON",
		"github.com/paulmach/orb/":    "the same",
	}}},
	{"agent/engine", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "what happened",
		"context/place":   "places",
		"context/profile": "slices",
		"context/moment":  "what holds now",
		"context/rule":    "three values",
		"actions/catalog": "the bundle",
		"actions/guard":   "manners",
		"actions/contact": "caps and pauses",
		"actions/learn":   "propensities",
		"actions/arbiter": "the choice",
		"crypto/sha256":   "the hash of a moment",
	}}},
	{"sync/wire", room{pure: true, imports: map[string]string{
		"context/sense":                      "instants and values",
		"crypto/aes":                         "sealed records",
		"crypto/cipher":                      "sealed records",
		"crypto/ecdh":                        "sealed to the hub",
		"crypto/ed25519":                     "what the hub signs",
		"crypto/hkdf":                        "keys from a shared secret",
		"crypto/sha256":                      "the same",
		"encoding/json":                      "state, want and requests are JSON",
		"github.com/klauspost/compress/zstd": "the size of a batch",
		"github.com/tinylib/msgp/msgp":       "records",
	}}},
	{"sync/outbox", room{imports: map[string]string{
		"context/sense": "instants",
		"sync/wire":     "records",
	}}},
	{"sync/uplink", room{pure: true, imports: map[string]string{
		"context/sense": "instants",
		"sync/wire":     "messages",
		"math/rand/v2":  "jitter from a seed, see seeded",
	}}},
	{"sync/mqtt/certs", room{}},
	{"sync/mqtt/certs/certstest", room{imports: map[string]string{
		"sync/mqtt/certs": "the files that it makes",
	}}},
	{"sync/mqtt/mosquitto", room{}},
	{"sync/mqtt/mosquitto/mosquittotest", room{imports: map[string]string{
		"sync/mqtt/certs":     "the files of its certificates",
		"sync/mqtt/mosquitto": "the configuration that it runs",
	}}},
	{"sync/mqtt/embedded", room{imports: map[string]string{
		"sync/mqtt/certs":                  "the certificates of its listener",
		"sync/wire":                        "whose topic is whose",
		"github.com/mochi-mqtt/server/v2":  "the broker",
		"github.com/mochi-mqtt/server/v2/": "the same",
	}}},
	{"sync/mqtt", room{imports: map[string]string{
		"sync/mqtt/certs":                     "certificates that change in their files",
		"context/sense":                       "instants",
		"sync/wire":                           "topics",
		"sync/outbox":                         "what waits",
		"sync/uplink":                         "the session that it performs",
		"github.com/eclipse/paho.mqtt.golang": "the connection",
	}}},
	{"sync/hub", room{pure: true, imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "what the back office says",
		"context/profile": "customers",
		"actions/catalog": "what bundles declare",
		"actions/contact": "budgets over the fleet",
		"actions/guard":   "may I?",
		"actions/learn":   "merging what devices learned",
		"sync/wire":       "messages",
		"crypto/ecdh":     "opens what devices sealed",
		"crypto/hmac":     "the keyed hash of an erased id",
		"crypto/sha256":   "the same",
	}}},
	{"firmware/boardtest", room{pure: true, imports: map[string]string{
		"context/sense":        "signals",
		"context/event":        "event lines",
		"io":                   "recordings that the caller opened",
		"bufio":                "the same",
		"encoding/json":        "recordings",
		"periph.io/x/conn/v3/": "recorded traffic has the form of its buses",
	}}},
	{"firmware/board", room{imports: map[string]string{
		"context/sense":               "signals",
		"context/event":               "event lines",
		"firmware/boardtest":          "playback of a recording as a board",
		"github.com/adrianmo/go-nmea": "sentences",
		"go.bug.st/serial":            "serial ports",
		"go.yaml.in/yaml/v3":          "the board's part of the configuration",
		"periph.io/x/":                "buses, pins and devices",
	}}},
	{"firmware/update", room{imports: map[string]string{
		"aead.dev/minisign": "signatures",
	}}},
	{"firmware/image", room{}},
	{"sync/hub/ledger", room{imports: map[string]string{
		"context/sense":                  "instants",
		"context/event":                  "events",
		"context/profile":                "customers",
		"actions/catalog":                "bundles",
		"sync/hub":                       "the port that it implements",
		"sync/wire":                      "records",
		"modernc.org/sqlite":             "the embedded database",
		"modernc.org/sqlite/":            "the same",
		"github.com/jackc/pgx/v5":        "the database that several hubs share",
		"github.com/jackc/pgx/v5/pgconn": "what its server says when it fails",
		"github.com/jackc/pgx/v5/stdlib": "the same statements as for SQLite",
	}}},
	{"sync/hub/ledger/postgrestest", room{imports: map[string]string{
		"github.com/jackc/pgx/v5/stdlib": "whether the server that a test started answers",
	}}},
	{"sync/hub/serve", room{imports: map[string]string{
		"context/sense":                       "instants",
		"context/event":                       "events",
		"context/profile":                     "customers",
		"actions/catalog":                     "bundles",
		"sync/hub":                            "the mind that it drives",
		"sync/hub/ledger":                     "where it is kept",
		"sync/mqtt":                           "the connection",
		"sync/outbox":                         "queues",
		"sync/uplink":                         "the session",
		"sync/wire":                           "messages",
		"firmware/update":                     "verifies the bundles that it ships",
		"github.com/eclipse/paho.mqtt.golang": "the connection",
	}}},
	{"agent/store", room{imports: map[string]string{
		"context/sense":                "values",
		"context/event":                "events",
		"context/profile":              "slices",
		"actions/catalog":              "what is declared",
		"agent/engine":                 "snapshots",
		"context/moment":               "its part of a snapshot",
		"context/place":                "the same",
		"sync/outbox":                  "the port that it implements",
		"sync/wire":                    "records",
		"github.com/tinylib/msgp/msgp": "values on disk",
		"go.etcd.io/bbolt":             "the files",
		"go.etcd.io/bbolt/":            "the same",
	}}},
	{"agent/moments", room{imports: map[string]string{
		"context/sense":   "instants",
		"actions/catalog": "stages and reasons",
		"agent/engine":    "decisions and what they looked at",
	}}},
	{"agent/zones", room{imports: map[string]string{
		"context/sense": "calendars",
	}}},
	{"agent", room{imports: map[string]string{
		"agent/moments":   "what decisions looked at",
		"agent/zones":     "customers live in every zone",
		"context/moment":  "whether a bundle can be evaluated",
		"context/sense":   "values",
		"context/event":   "events",
		"context/profile": "slices",
		"actions/catalog": "the bundle",
		"agent/engine":    "the mind",
		"agent/store":     "the disk",
		"firmware/board":  "sensors",
		"firmware/update": "bundles",
		"sync/mqtt":       "the connection",
		"sync/outbox":     "the queue",
		"sync/uplink":     "the session",
		"sync/wire":       "messages",
		"golang.org/x/":   "whether the system's clock is synchronised",
	}}},
	{"agent/local", room{imports: map[string]string{
		"context/sense":   "values",
		"context/event":   "event lines",
		"actions/catalog": "what is declared",
		"agent/engine":    "decisions",
		"agent/moments":   "exports what decisions looked at",
		"agent":           "the body that it speaks for",
	}}},
	{"agent/sim/replay", room{clockless: true, imports: map[string]string{
		"context/":        "values and event lines",
		"actions/catalog": "the bundle",
		"agent/engine":    "the mind that it plays through",
		"firmware/board":  "logs of sensors",
	}}},
	{"agent/sim/chance", room{clockless: true, imports: map[string]string{
		"context/sense":   "instants and types",
		"actions/catalog": "what the policy declares, so that events speak of it",
	}}},
	{"agent/sim/funnel", room{clockless: true, imports: map[string]string{
		"context/":        "values",
		"actions/catalog": "stages and reasons",
		"actions/arbiter": "what a value is made of",
		"agent/engine":    "decisions",
	}}},
	{"agent/sim/scenario", room{clockless: true, imports: anyRoom}},
	{"agent/sim", room{clockless: true, imports: anyRoom}},
	{"cmd/tactd", room{imports: map[string]string{
		"context/":           "wiring",
		"actions/catalog":    "wiring",
		"agent":              "wiring",
		"agent/engine":       "wiring",
		"agent/store":        "wiring",
		"agent/local":        "wiring",
		"firmware/":          "wiring",
		"sync/mqtt":          "wiring",
		"sync/mqtt/certs":    "wiring",
		"sync/outbox":        "wiring",
		"sync/uplink":        "wiring",
		"sync/wire":          "wiring",
		"go.yaml.in/yaml/v3": "the configuration file",
		"golang.org/x/":      "the system",
	}}},
	{"cmd/tact/internal/bench", room{}},
	{"cmd/tact/internal/demo", room{imports: anyRoom}},
	{"cmd/tact/internal/houserules", room{}},
	{"cmd/tact", room{imports: and(anyRoom, "cmd/tact/internal/demo", "the demo's world and story")}},
}

// and returns imports with one more.
func and(imports map[string]string, path, why string) map[string]string {
	more := maps.Clone(imports)
	more[path] = why
	return more
}

// anyRoom is for where everything meets. A key that ends in a slash means all below it.
var anyRoom = map[string]string{
	"context/":                            "wiring",
	"actions/":                            "wiring",
	"agent":                               "wiring",
	"agent/":                              "wiring",
	"sync/":                               "wiring",
	"firmware/":                           "wiring",
	"github.com/spf13/":                   "the command line",
	"github.com/mochi-mqtt/server/v2":     "the embedded broker of the demo",
	"github.com/mochi-mqtt/server/v2/":    "the same",
	"github.com/eclipse/paho.mqtt.golang": "asks a broker whether it answers",
	"github.com/rogpeppe/go-internal/":    "diffs",
	"go.yaml.in/yaml/v3":                  "configuration",
	"golang.org/x/":                       "the terminal",
}

// topFolders are the folders of the repository, fixed.
var topFolders = []string{"actions", "agent", "cmd", "context", "docs", "firmware", "sync", "testdata"}
