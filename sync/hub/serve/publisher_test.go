package serve

import "testing"

// One device's messages keep their order, whatever their classes.
func TestPublisherKeepsADevicesOrder(t *testing.T) {
	for topic, device := range map[string]string{
		"tact/v1/shop/kiosk-1/dn/ack":        "tact/v1/shop/kiosk-1",
		"tact/v1/shop/kiosk-1/dn/slice/0a0b": "tact/v1/shop/kiosk-1",
		"tact/v1/shop/kiosk-1/dn/cmd/echo":   "tact/v1/shop/kiosk-1",
		"tact/v1/shop/kiosk-11/dn/ack":       "tact/v1/shop/kiosk-11",
		"tact/v1/shop/_hub/st/conn":          "tact/v1/shop/_hub",
		"short":                              "short",
	} {
		if got := deviceOf(topic); got != device {
			t.Errorf("%s is of %s, want %s", topic, got, device)
		}
	}
	p := newPublisher(nil, nil, &counts{})
	for k := range byte(100) {
		topic := "tact/v1/shop/kiosk-1/dn/slice/" + string('a'+rune(k%26))
		if k%3 == 0 {
			topic = "tact/v1/shop/kiosk-1/dn/ack"
		}
		p.put(topic, []byte{k}, false)
	}
	for _, q := range p.queues {
		for k := byte(0); len(q) > 0; k++ {
			if m := <-q; m.payload[0] != k {
				t.Fatalf("message %d comes after %d", m.payload[0], k-1)
			}
		}
	}
}
