package demo

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// echo answers each byte, as a broker would something.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestRelayCanBeCut(t *testing.T) {
	r, err := startRelay(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(r.Address(), "tcp://")
	talk := func() error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		return say(c)
	}
	open, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := say(open); err != nil {
		t.Fatalf("before the cut: %v", err)
	}
	r.Cut()
	if say(open) == nil {
		t.Error("a connection outlived the cut")
	}
	if talk() == nil {
		t.Error("a new connection got through the cut")
	}
	r.Mend()
	if err := talk(); err != nil {
		t.Errorf("after mending: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if talk() == nil {
		t.Error("it listens after Close")
	}
}

// say sends a byte and wants it back.
func say(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}
