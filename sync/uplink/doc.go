// Package uplink is the delivery session of a device as a machine that can be
// stepped: what happened goes in, what to do comes out. It touches no clock, no
// disk and no network; the same machine runs over paho, in tests and in a
// simulated fleet.
//
// A connection goes through these states, in this order:
//
//	waiting     no connection; one is opened at an instant with jitter
//	opening     the body opens it
//	joining     subscriptions are asked for; a refused one ends the connection
//	proving     st/conn and st/birth are out; an echo must come back
//	greeting    hello is out, and again until the hub's answer says where to go on
//	delivering  batches flow
//
// # What it guarantees
//
//   - Nothing but presence, birth and echo is published before the hub answered
//     the echo, and no batch while the hub says that it is offline.
//   - After each connection, and each return of the hub, sending begins at the
//     lowest number that is not acknowledged, and leaves out acknowledged ranges.
//   - At most Window batches are in flight. One that is not acknowledged in time
//     is sent again, the same bytes, after 3 s doubling to 60 s with jitter.
//   - After NewEpoch for the present epoch nothing of it is sent, and no acknowledgement of it
//     is taken, until Log brings another.
//   - A device that finds more than three times within a minute that another process was connected
//     with its identity keeps away for 5 min, doubled up to an hour each time that it happens again,
//     and tells of it once an hour. Links that break and brokers that restart do not look like that,
//     where the broker lets a device read its own st/conn.
//   - Connections that break within a minute, and before anything was acknowledged, come less and
//     less often after the fourth in a row, down to one in MaxRetry.
//   - A problem of one code is told once a minute, with how many there were.
//   - Only messages on the device's own topics, its groups' and the hub's
//     presence are taken, and those below dn/ only when signed for that topic by
//     a trusted key. A want of an old revision is left out.
//   - Equal inputs and seed give equal outputs. All collections are bounded.
//
// # What callers owe
//
// Instants that never decrease. Output is performed in the order of its fields.
// Input Log after each change of the outbox, Records in answer to each Read, and
// a Tick no later than Wake. Received is not delivered: only Acknowledge lets the
// outbox drop.
package uplink
