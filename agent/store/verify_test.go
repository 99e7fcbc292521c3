package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tact-edge/tact/sync/wire"
)

// TestVerifyTakesWhatBoltWrites: what bbolt has written by itself, in every form that one of our versions used, is
// never called damaged: large values, pages given back by the ten thousand, buckets within values, keys put before
// all others, lists of free pages kept or not, pages of another size.
func TestVerifyTakesWhatBoltWrites(t *testing.T) {
	for seed := range 9 {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		path := filepath.Join(t.TempDir(), "db")
		page := []int{1024, 4096, 16384}[seed%3]
		open := func() *bolt.DB {
			db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: page, NoSync: true, NoFreelistSync: seed > 0 && r.IntN(2) == 0,
				FreelistType: []bolt.FreelistType{bolt.FreelistMapType, bolt.FreelistArrayType}[r.IntN(2)]})
			if err != nil {
				t.Fatal(err)
			}
			db.AllocSize = 1 << (10 + r.IntN(12))
			return db
		}
		db := open()
		steps := 30
		if seed == 0 {
			steps = 8 // each looks through a large file
		}
		for step := range steps {
			many := seed == 0 && step < 2 // 66,000 pages, given back at once: more than the count of a list holds
			err := db.Update(func(tx *bolt.Tx) error {
				names := []string{"a", "b", "c"}[:1+r.IntN(3)]
				if many {
					names = names[:1]
				}
				for _, name := range names {
					b, err := tx.CreateBucketIfNotExists([]byte(name))
					if err != nil {
						return err
					}
					b.FillPercent = []float64{0.5, 0.95, 1}[r.IntN(3)]
					n := r.IntN(200)
					if many {
						n = 700
					}
					for k := range n {
						key := fmt.Appendf(nil, "%0*d", 1+r.IntN(20), r.IntN(400))
						size := r.IntN(60)
						if r.IntN(20) == 0 {
							size = r.IntN(60_000)
						}
						if many {
							key, size = fmt.Appendf(nil, "many %d", k), 100*page
						}
						if !many && r.IntN(2) == 0 || many && step == 1 {
							err = b.Delete(key)
						} else {
							err = b.Put(key, make([]byte, size))
						}
						if err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := verifyDB(f); err != nil {
				t.Fatalf("seed %d, step %d, pages of %d: %v", seed, step, page, err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if r.IntN(6) == 0 {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				db = open()
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrashStatesOfTheFirstCommits: on a store that the version before wrote, whose list of free pages goes with the first.
func TestCrashStatesOfTheFirstCommits(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for _, name := range []string{"begun", "waiting", "drained"} {
		o := beforeStore(t, name)
		path, copied := filepath.Join(o.Dir, OutboxFile), filepath.Join(t.TempDir(), OutboxFile)
		s := mustOpen(t, o)
		q := openQueue(t, s, 77)
		for n := range 4 {
			before := readFile(t, path)
			writeTo(t, copied, before)
			old, err := heldBy(copied)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := q.Append(wire.BundleID{9}, [][]byte{beforeRecord(t, q.Status().Next), report(1, 100*n)}); err != nil {
				t.Fatal(err)
			}
			after := readFile(t, path)
			for _, c := range crashStates(before, after, r) {
				writeTo(t, copied, c.file)
				got, err := heldBy(copied)
				if err != nil {
					t.Fatalf("%s, commit %d, %s: %v", name, n, c.name, err)
				}
				if more := len(got.Entries) - len(old.Entries); c.fresh != (more == 2) || !c.fresh && more != 0 {
					t.Fatalf("%s, commit %d, %s: %d records more", name, n, c.name, more)
				}
			}
		}
		mustClose(t, s)
	}
}
