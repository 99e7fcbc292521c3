package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/event"
	"github.com/tact-edge/tact/sync/hub/serve"
)

// Every language has words for everything that has to be said.
func TestAccountSpeaksEveryLanguage(t *testing.T) {
	english := accounts["en"]
	for b := catalog.BasisConsent; b <= catalog.BasisNone; b++ {
		if english.bases[b.String()] == "" {
			t.Errorf("no words for the basis %s", b)
		}
	}
	for p := event.Declared; p <= event.ThirdParty; p++ {
		if english.provenances[p.String()] == "" {
			t.Errorf("no words for the provenance %s", p)
		}
	}
	for language, words := range accounts {
		v, e := reflect.ValueOf(*words), reflect.ValueOf(*english)
		for k := range v.NumField() {
			name := v.Type().Field(k).Name
			switch f := v.Field(k); f.Kind() {
			case reflect.String:
				if f.String() == "" || strings.Count(f.String(), "%") != strings.Count(e.Field(k).String(), "%") {
					t.Errorf("%s: %s is %q", language, name, f)
				}
			case reflect.Map:
				for _, key := range e.Field(k).MapKeys() {
					if w := f.MapIndex(key); !w.IsValid() || w.String() == "" || strings.Count(w.String(), "%s") != strings.Count(e.Field(k).MapIndex(key).String(), "%s") {
						t.Errorf("%s: %s has no words for %s", language, name, key)
					}
				}
				if f.Len() != e.Field(k).Len() {
					t.Errorf("%s: %s has other codes than English: %v", language, name, slices.Sorted(maps.Keys(f.Interface().(map[string]string))))
				}
			}
		}
	}
}

func TestAccountText(t *testing.T) {
	at := func(s string) *string { return &s }
	c := &serve.Customer{Customer: "crm:1", IDs: []string{"card:9", "crm:1"}, Restricted: true,
		Purposes: []serve.Purpose{{Name: "offers", For: "om u iets te bieden", Basis: "consent", May: true}},
		Facts: []serve.Fact{{Name: "pref.size", Value: json.RawMessage(`"M"`), Provenance: "declared", Source: "web", Happened: "2026-03-02T09:00:00.000Z", Why: "voor kleding die past",
			Purposes: []string{"offers"}, Kept: at("2028-03-01T09:00:00.000Z"), Others: []serve.Claim{{Value: json.RawMessage(`["S","L"]`), Provenance: "third_party", Source: "shop", Happened: "2026-01-31T09:00:00.000Z"}}},
			{Name: "skis", Value: json.RawMessage("true"), Provenance: "observed", Source: "k1", Happened: "2026-03-02T09:00:00.000Z"}},
		Consents:     []serve.Consent{{Purpose: "offers", Granted: true, Happened: "2026-03-02T09:00:00.000Z"}},
		Objections:   []serve.Objection{{Purpose: "research", Raised: true, Happened: "2026-03-02T09:00:00.000Z"}},
		Interactions: []serve.Interaction{{Kind: "purchase", About: "product:x", Source: "shop", Happened: "2026-03-02T09:00:00.000Z", Purposes: []string{"offers", "service"}}},
		Contacts:     []serve.Contact{{Channel: "mail", Happened: "2026-03-02T09:00:00.000Z"}, {Channel: "mail", Ref: "m2", Happened: "2026-03-02T09:00:00.000Z", Answered: at("2026-03-03T09:00:00.000Z")}},
		Made:         []serve.Made{{Device: "k1", Action: "roof-box", At: "2026-03-02T09:00:00.000Z", Outcomes: []serve.Outcome{{Outcome: "shown"}, {Outcome: "never"}}}},
		Devices: []serve.Lease{{Device: "k1", Until: "2026-03-09T09:00:00.000Z", State: "held", With: []serve.With{{Kind: "vehicle", ID: "van-1"}}}, {Device: "car", Until: "2026-03-08T09:00:00.000Z", State: "pending"},
			{Device: "old", Until: "2026-01-08T09:00:00.000Z", State: "ended"}}}
	c.At = "2026-03-04T09:00:00.000Z"
	want := `Wat wij op 4 maart 2026 van crm:1 bewaren
bekend als card:9 en crm:1
Al het gebruik ervan is gestopt, zoals u vroeg.

Waarvoor het is, en op welke grond
  offers (om u iets te bieden): u hebt ermee ingestemd; mag er nu voor worden gebruikt: ja

Wat wij weten
  pref size: M
    u hebt het ons verteld (web, 2 maart 2026)
    een andere bron zegt: S en L; iemand anders heeft het ons verteld (shop, 31 januari 2026)
    waarom: voor kleding die past
    voor: offers; bewaard tot 1 maart 2028
  skis: ja
    wij hebben het gezien (k1, 2 maart 2026)
    bewaard, zonder bepaald einde

Waar u mee hebt ingestemd
  offers: ja (2 maart 2026)
  research: u maakt bezwaar: ja (2 maart 2026)

Wat er is gebeurd
  2 maart 2026: purchase product:x
    van: shop
    voor: offers en service; bewaard, zonder bepaald einde

Hoe wij u hebben aangesproken
  2 maart 2026: mail: geen antwoord
  2 maart 2026: mail m2: beantwoord op 3 maart 2026
  2 maart 2026: roof-box (k1): u zei nooit

Waar er een kopie is
  k1 tot 9 maart 2026
    vehicle van-1
  car, nu niet verbonden: uiterlijk tot 8 maart 2026
  old had er een tot 8 januari 2026
`
	if got := accountText(c, "nl"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for language, first := range map[string]string{"en": "What we hold of crm:1 on 4 March 2026\n", "de": "Was wir am 4. März 2026 von crm:1 gespeichert haben\n", "fr": "What we hold of crm:1"} {
		if got := accountText(c, language); !strings.HasPrefix(got, first) || strings.Contains(got, "%!") {
			t.Errorf("%s: %s", language, got)
		}
	}
}
