// Package board is the device's hands: receivers, sensors, inputs, logs and
// local apps, each a source of events for the agent's inbox.
//
// # What it guarantees
//
// Only what a rule uses is on: [Start] runs exactly those sources that feed a
// wanted signal, delivers only the wanted signals of them, and closes the others
// within a second ([Board.Want]). A source that fails is run again, after 1
// second at first and never more than a minute later; the signals that it gave are said
// to be unavailable meanwhile. Bad input of any kind is refused and counted, its
// place is named, and what is good around it counts. Memory is bounded: one
// sentence, one line, one reading of each signal.
//
// Live events carry no time: the agent stamps its own, and a reading says how
// old it was ([event.Signal.Age]). Replays ([ReplayNMEA], [ReplayCSV]) carry the
// log's time, which never decreases, and are pure functions of their input.
//
// # What callers owe
//
// The owner gives an emit function that may be called from several goroutines,
// may block, and follows the rule of back-pressure in [Start]. It calls
// Want when the signals that the rules read change, and Close at the end.
//
// # Writing a driver
//
// One driver, one file; bme280.go (polled) and gpio.go (waiting) are the pattern.
//   - A struct with the values that it needs and a function that opens its bus or
//     pin, made from [Config] by newX. Nothing is opened before Run.
//   - Feeds names the signals; the configuration may rename them.
//   - Run opens, reads, emits and closes. It waits by pause or in pieces of at most
//     250 ms, so that it returns well within a second when its context ends. It
//     returns what failed and does not try again: the board does.
//   - A value that the hardware cannot give is null, not left out. Values are made
//     of whole numbers (thousandths), so that they print the same everywhere.
//   - Hardware comes in by [Ports], from host.go alone, which owns periph.io's
//     registries. Tests put i2ctest and gpiotest in place, recorded
//     with firmware/boardtest, in testing/synctest where time matters.
//   - The kind and its fields go into config.go: allowed, source, Validate.
//
// # NMEA
//
// [NMEA] is a push decoder for live receivers and logs alike. Its comment says
// which sentence gives the position and how time is told. A sentence without a
// checksum is refused, as gpsd does. Dates: two-digit years to 68 are of this
// century, as with gpsd; a date more than 1,000 weeks off the one before (or off
// the reference) is not believed, and everything is unknown until a good one
// comes or five in a row insist; time then stands still, or before the first
// date goes by lines. gpsd in contrast adds 1,024 weeks to dates that it thinks
// rolled over. A reading older than the present one is dropped, in a log for
// ever, live until thirty in a row say that the receiver's clock was set back.
package board
