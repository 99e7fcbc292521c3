// Package mqtt is the real connection: the device's link, which drives an
// uplink.Session over an outbox, and the hub's client. Both speak MQTT 3.1.1
// through paho, which stays behind this package.
//
// # What it guarantees
//
//   - Clean sessions, QoS 1, a new client for each connection, and no trust in
//     paho's store or reconnecting: when and how often to connect is the
//     session's decision (the device) or a back-off with jitter (the hub), and
//     what is not acknowledged by the hub is sent again from the outbox.
//   - Messages are published only while the connection is really open. Routes
//     are in place before connecting, and each SUBACK is looked at.
//   - Callbacks of paho never block on the device: they put into a bounded
//     channel. Where it is full the message is dropped and counted, and the
//     connection is begun anew, so that hello brings what was missed. On the hub
//     a full channel holds the broker back instead.
//   - Messages keep their order. A payload over wire.MaxMessage is dropped and
//     counted before anyone looks at it; the broker should refuse it earlier
//     (message_size_limit and max_packet_size in Mosquitto).
//   - One goroutine (Run) owns the session and calls the device's Up.
//
// # What callers owe
//
// Counter is durable before it returns. Up does not block and does not call Run.
// TLS is the caller's: a *tls.Config, used for ssl:// and tls:// addresses.
package mqtt
