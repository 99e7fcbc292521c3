package embedded

import (
	"fmt"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// TestRetainedUnderRace lets clients come, leave a will and look through what is retained while
// others set it; the race detector is the judge, and every message must arrive.
func TestRetainedUnderRace(t *testing.T) {
	b, err := Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			for n := range 20 {
				o := paho.NewClientOptions().AddBroker(b.Address()).SetClientID(fmt.Sprintf("c%d-%d", k, n)).SetWill(fmt.Sprintf("state/%d", k), "gone", 1, true)
				got := make(chan string, 100)
				o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
					select {
					case got <- m.Topic():
					default:
					}
				})
				c := paho.NewClient(o)
				if !done(c.Connect()) || !done(c.Publish(fmt.Sprintf("state/%d", k), 1, true, "here")) || !done(c.Subscribe("state/#", 1, nil)) {
					t.Errorf("client %d-%d was not served", k, n)
					return
				}
				select {
				case <-got:
				case <-time.After(10 * time.Second):
					t.Errorf("client %d-%d heard nothing that is retained", k, n)
				}
				c.Disconnect(0)
			}
		})
	}
	all.Wait()
}

func done(token paho.Token) bool { return token.WaitTimeout(10*time.Second) && token.Error() == nil }

func TestLoopbackOnly(t *testing.T) {
	if b, err := Start("0.0.0.0:0"); err == nil {
		b.Close()
		t.Error("a broker without accounts listens to the world")
	}
}

// Whoever comes last under a name has it, and hears what is meant for it; the one before
// is cut off. Without the hook the library loses the newcomer in about one of fifty.
func TestTheLastOfANameHasIt(t *testing.T) {
	b, err := Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client := func(id string, got chan string, lost chan string) paho.Client {
		o := paho.NewClientOptions().AddBroker(b.Address()).SetClientID(id).SetAutoReconnect(false)
		o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { got <- string(m.Payload()) })
		o.SetConnectionLostHandler(func(paho.Client, error) { lost <- id })
		c := paho.NewClient(o)
		if !done(c.Connect()) || !done(c.Subscribe("to/"+id, 1, nil)) {
			t.Fatalf("%s was not served", id)
		}
		return c
	}
	lost := make(chan string, 1000)
	speaker := client("speaker", make(chan string), lost)
	defer speaker.Disconnect(0)
	for round := range 200 {
		got := make(chan string, 10)
		c := client("twin", got, lost)
		defer c.Disconnect(0)
		word := fmt.Sprint(round)
		if !done(speaker.Publish("to/twin", 1, false, word)) {
			t.Fatal("the broker does not take a message")
		}
		select {
		case heard := <-got:
			if heard != word {
				t.Fatalf("round %d: heard %s", round, heard)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("round %d: the newcomer hears nothing", round)
		}
		if round == 0 {
			continue
		}
		select {
		case <-lost:
		case <-time.After(5 * time.Second):
			t.Fatalf("round %d: the one before was not cut off", round)
		}
	}
}
