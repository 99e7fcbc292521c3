package store

import (
	"encoding/binary"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// asideOf counts the quarantine and names its first number.
func asideOf(t *testing.T, s *Store) (count int, first uint64) {
	t.Helper()
	err := s.Outbox.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketAside).ForEach(func(k, _ []byte) error {
			if count == 0 {
				first = binary.BigEndian.Uint64(k)
			}
			count++
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return count, first
}
