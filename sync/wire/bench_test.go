package wire

import "testing"

// wire.bytes.32 and wire.bytes.256: bytes of a decision among 1,000 actions, by size of batch.
func BenchmarkBytes(b *testing.B) {
	for name, n := range map[string]int{"32": 32, "256": 256} {
		b.Run(name, func(b *testing.B) {
			p := packer(b)
			batch := lifelikeBatch(n)
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				m, err := p.Encode(batch)
				if err != nil {
					b.Fatal(err)
				}
				size = len(m)
			}
			b.ReportMetric(float64(size)/float64(n), "wire.bytes."+name+":bytes")
			if n == 256 {
				b.ReportMetric(200, "wire.bytes.256:bytes:at-most")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/decision")
		})
	}
}

func BenchmarkDecode256(b *testing.B) {
	p := packer(b)
	m, err := p.Encode(lifelikeBatch(256))
	if err != nil {
		b.Fatal(err)
	}
	u := unpacker(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Decode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	raw := lifelikeBatch(1).Records[0]
	var d Decision
	buf := make([]byte, 0, 1024)
	b.Run("encode", func(b *testing.B) {
		if err := DecodeInto(raw, &d); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := AppendRecord(buf, &d); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := DecodeInto(raw, &d); err != nil {
				b.Fatal(err)
			}
		}
	})
}
