package guard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/sense"
)

// TestRoom: what is put into a room is as without one, lists share nothing, and nothing is allocated once it has grown.
func TestRoom(t *testing.T) {
	r, none := &Room{}, (*Room)(nil)
	if r.Because() != nil || none.Because() != nil {
		t.Error("nothing is a list")
	}
	one, two := r.Because(named("a")), r.Because(named("b"), named("c"))
	_ = append(one, named("x"))
	two[0].Name = "y"
	if got := fmt.Sprint(one[0].Name, two[0].Name, two[1].Name); got != "ayc" {
		t.Errorf("lists share memory: %s", got)
	}
	for k := range int64(3 * mostTexts) {
		d := sense.Duration(k * k * 977)
		for _, pair := range [...][2]string{
			{r.Age("age >= ", d), none.Age("age >= ", d)}, {r.Amount("> ", k*k-7), none.Amount("> ", k*k-7)}, {r.Text("by ", "mail"), none.Text("by ", "mail")},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%q in a room, %q without", pair[0], pair[1])
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		r.Clear()
		for range 10 {
			r.Because(named("a"), catalog.Because{Needed: r.Age("age >= ", 90*sense.Day)}, catalog.Because{Needed: r.Text("needed for ", "x", " by ", "mail")})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCut: texts that are cut from one chunk stay what they are.
func TestCut(t *testing.T) {
	var chunk strings.Builder
	var got, want []string
	for k := range 2000 {
		line := strings.Repeat(fmt.Sprint(k), k%40)
		got, want = append(got, Cut(&chunk, []byte(line))), append(want, line)
	}
	long := strings.Repeat("x", 3*chunkSize)
	if Cut(&chunk, []byte(long)) != long || !slices.Equal(got, want) {
		t.Error("a text is another")
	}
}
