package embedded

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// inner is a client within the process of the broker.
func inner(t *testing.T, b *Broker, take paho.MessageHandler) paho.Client {
	o := paho.NewClientOptions().AddBroker("tcp://inside").SetClientID("inner").SetAutoReconnect(false)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return b.Dial() })
	o.SetDefaultPublishHandler(take)
	c := paho.NewClient(o)
	if !done(c.Connect()) || !done(c.Subscribe("word/#", 1, nil)) {
		t.Fatal("the client within was not served")
	}
	return c
}

// Both say much at the same time: neither may wait for the other to read.
func TestBothSpeakAtOnce(t *testing.T) {
	b, err := Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const speakers, words = 20, 200
	var heard atomic.Int64
	all := make(chan struct{})
	c := inner(t, b, func(paho.Client, paho.Message) {
		if heard.Add(1) == speakers*words {
			close(all)
		}
	})
	defer c.Disconnect(100)
	var said sync.WaitGroup
	for range speakers {
		said.Go(func() {
			for range words {
				if !done(c.Publish("word/x", 1, false, make([]byte, 3000))) {
					t.Error("the broker does not take a message")
					return
				}
			}
		})
	}
	said.Wait()
	select {
	case <-all:
	case <-time.After(10 * time.Second):
		t.Errorf("heard %d of %d messages", heard.Load(), speakers*words)
	}
}

// What was written before the end is read, where the other side reads.
func TestElastic(t *testing.T) {
	here, there := net.Pipe()
	e := newElastic(here)
	for range 100 {
		if n, err := e.Write(make([]byte, 1000)); n != 1000 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	read := make(chan int)
	go func() {
		all, _ := io.ReadAll(there) // until the end
		read <- len(all)
	}()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := <-read; n != 100_000 {
		t.Errorf("%d bytes were read", n)
	}
	if _, err := e.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed connection says %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestElasticIsBounded(t *testing.T) {
	here, _ := net.Pipe()
	e := newElastic(here)
	defer e.Close()
	var err error
	for n := 0; err == nil; n += 1 << 20 {
		if _, err = e.Write(make([]byte, 1<<20)); n > mostWaiting+2<<20 {
			t.Fatalf("%d bytes wait", n)
		}
	}
	if !errors.Is(err, errWaiting) {
		t.Error(err)
	}
}
