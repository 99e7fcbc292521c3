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
//     a full channel holds the broker back instead: whoever takes its messages
//     does not wait for anything.
//   - Messages keep their order. A payload over wire.MaxMessage is dropped and
//     counted before anyone looks at it; the broker should refuse it earlier
//     (max_packet_size in Mosquitto).
//   - One goroutine (Run) owns the session and calls the device's Up.
//   - ssl:// means TLS 1.3, with the server's name checked. Certificates are read
//     from their files before each connection and once a minute; a connection
//     whose certificates have changed is begun anew. Files that cannot be used
//     change nothing, and are told once.
//   - Before the hub subscribes it sends a message to itself through a group of
//     its own. Where that comes back it takes what devices send as a member of
//     its group; else (NATS, RabbitMQ) it subscribes plainly, and says so.
//
// # How paho is used, and why
//
// AutoReconnect and ConnectRetry are off, and with them go MaxReconnectInterval,
// MaxResumePubInFlight and ResumeSubs: a client lives for one connection, because
// reuse after Disconnect is unsafe, and because jitter, rewinding and looking for
// a second device of the same name belong to one place. Subscribing follows the
// CONNACK, as in OnConnect. The ordered memory store is never read back.
//
// SetOrderMatters stays true on the device as well: handlers only put into a
// channel, so pings are never late for them, and without it each message is a
// goroutine, without bound or order. Tokens are waited for outside of handlers
// alone. At most the session's window, its requests and its documents are in
// flight, some hundreds of paho's 65,535 ids.
//
// Time limits: 20 s to connect (TCP, TLS and CONNACK together), 10 s to write,
// 45 s between pings and 15 s for their answer, 20 s for the hub's subscriptions.
// A write to a dead link may hold Run for its 10 s; whoever calls Tell or
// Appended never waits.
//
// # What callers owe
//
// Counter is durable before it returns. Up does not block and does not call Run.
// Certificates are loaded by the caller, so that a wrong configuration is told at
// the start.
package mqtt
