// Package demo is `tact demo`: a small world on this machine, and a story that is
// told while it happens there.
//
// The world is the product itself: the embedded broker, the hub and three agents
// (kiosk, car, wearable gateway) in this process, on free loopback ports, in a
// temporary folder; a policy that is compiled, signed with a key made on the spot
// and published to the hub, from where it reaches the devices by MQTT. Devices are
// spoken to through their local API and event stream, the car hears a receiver
// that plays a recorded drive, the back office speaks to the hub over HTTP, and
// between the devices and the broker lies a relay that can be cut.
//
// # What it guarantees
//
//   - What is told was seen: decisions come from the devices' event streams, times
//     from this process's clock, the balance from the devices' own logs and the
//     hub's ledger. Nothing is expected silently: a step that does not happen in
//     its time ends the demo with an error that names it.
//   - Nothing is left behind: whatever the end, what was started is stopped and
//     the folder is removed.
//   - Output is plain text without control characters unless Options.Terminal or
//     Options.Colour asks for them.
//
// # What callers owe
//
// A context that ends on Ctrl-C, and a writer.
//
// # The drive
//
// drive.nmea is a log of 28 seconds at 2 readings a second, made by
// TestDriveIsMade: from a made place in the Netherlands due south over the border
// of policy/borders.geojson, to 118 km/h and back to a stop. It is played faster
// than it was recorded, and each sentence gets the time at which it is sent, as
// a receiver would say it: the duration of what a rule waits for (held) is real.
package demo
