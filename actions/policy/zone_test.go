package policy

import (
	"testing"
	"time"

	"github.com/tact-edge/tact/context/sense"
)

// A zone's rules are those of its database, hour by hour, whatever the machine's own says.
func TestZoneAgreesWithItsDatabase(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	for _, name := range []string{"Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "UTC"} {
		z, err := Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		l, err := location(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Unix(0, 0); at.Year() < 2100; at = at.Add(1009 * time.Minute) {
			if _, offset := at.In(l).Zone(); z.Offset(sense.InstantOf(at)) != sense.Duration(offset)*sense.Second {
				t.Fatalf("%s at %s is off by %d, want %d s", name, at.UTC(), z.Offset(sense.InstantOf(at)), offset)
			}
		}
	}
}

func TestZoneThatIsNone(t *testing.T) {
	for _, name := range []string{"", "Local", "Europe/Amsterdm", "Europe", "../etc/passwd", "/etc/localtime", "europe/amsterdam "} {
		if z, err := Zone(name); err == nil {
			t.Errorf("%q is %s", name, z)
		}
	}
}
