package scenario

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
)

// comeLater are codes that no scenario can reach yet, with what they come with.
var comeLater = map[string]string{
	"exploration_limit": "learning", "immature": "learning", "not_drawn": "learning",
	"bundle_refused":     "the device's body: a mind is handed good bundles only",
	"store_recovered":    "the device's body: a mind is restored from what is whole",
	"paused_by_operator": "the fleet",
}

// notReasons are codes of what is refused before anything runs.
var notReasons = []string{
	"special_inferred", "invalid_value", "erased",
	"question_unused", "text_reveals_inference", "unreachable", "contradiction", "cap_never_fires", "cap_always_fires",
	"special_without_consent", "about_missing", "price_undisclosed",
}

// Every reason code is reached by a scenario, and what is said to come later is not.
func TestEveryCodeIsReached(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/journeys/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d journeys: %v", len(files), err)
	}
	reached := map[string]string{}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, mistakes := Parse(name, content)
		for _, m := range mistakes {
			t.Error(m)
		}
		for _, s := range f.Scenarios {
			for _, x := range s.steps {
				if x.refuse != "" {
					reached[x.refuse] = s.Name
				}
				if x.expect != nil && x.expect.reason.word != "" {
					reached[x.expect.reason.word] = s.Name
				}
			}
		}
	}
	codes := notReasons
	for _, r := range catalog.Reasons() {
		codes = append(codes, r.String())
	}
	for _, code := range codes {
		switch what, later := comeLater[code]; {
		case later && reached[code] != "":
			t.Errorf("%s comes with %s, and yet %q reaches it", code, what, reached[code])
		case !later && reached[code] == "":
			t.Errorf("no scenario reaches %s", code)
		}
	}
}
