// Package serve is the hub as it runs: HTTP for the back office, MQTT for the
// devices, and one goroutine that passes everything through the mind, a batch of
// what is there per transaction.
//
// # What it guarantees
//
//   - A line is answered, a record acknowledged and a slice published only after
//     the commit that holds what they rest on.
//   - Everything below dn/ is signed with the hub's key for its topic.
//   - Keys, the operator's token and the ledger are made in Dir at the first
//     start, readable by the owner alone, and never changed after.
//   - Devices take turns: what each sends waits in a lane of its own, bounded in
//     number and bytes, and a round takes one message of each, with half of its
//     room kept for the back office. What finds no room is dropped and counted;
//     its device sends it again.
//   - What devices send comes through a shared subscription where the broker has
//     them, under a group whose name is a secret of the hub, else through a plain
//     one; the log says which.
//   - Requests are bounded in size, number and time. A message that is garbage,
//     too large, of another tenant or in another device's name is counted
//     (GET /healthz) and changes nothing.
//   - What could not be published (no link, a full queue) is made good: once the
//     link is there, devices are asked to say hello again.
//   - A ledger that fails takes nothing: sources hear 503, devices hear nothing
//     and send again. While its database is away nothing waits for it: it is tried again
//     after 100 ms doubling to 5 s, GET /healthz says since when it is away, and devices
//     are asked to say hello once it is back.
//   - Batches are unpacked while the round before them is committed, and pass
//     through the mind in the order in which their device sent them.
//
// # HTTP
//
//	POST /v1/events      event lines, or CloudEvents 1.0 (structured mode) with a line as data
//	                     {"forget":ID} is answered with the erasure's id, in "erasures"
//	POST /v1/may         {"customer","about","intent","channel","purpose"?}
//	GET  /v1/suppressions?since=&after=&limit=&intent=&about=&channel=&purpose=
//	                     who may not be approached now, and why: the question of POST /v1/may put of every
//	                     customer, of sales by mail where nothing else is said; limit is how many are looked at.
//	                     With since, an instant, those of whom something happened from then on, whatever
//	                     the answer is: take a margin, since sources may tell late, and take all now and
//	                     then. Whoever was forgotten is in no list: ask POST /v1/may by id.
//	GET  /v1/customers/ID?language=   operator; each look is a line of views.jsonl: when, who, a keyed hash of whom
//	GET  /v1/erasures/ID              the receipt, signed in the form of all that a hub signs, for the topic
//	                     tact/v1/TENANT/_hub/erasure/ID; the operator, and the source that asked for it
//	GET  /v1/erasures?open=&after=&limit=             operator
//	GET  /v1/decisions?since=&device=&after=&limit=   operator; JSON lines
//	POST /v1/bundles?scope=           operator; {"bundle","signature"} in base64 and text
//	GET  /healthz                     open; counts only
//
// The token of a source may feed and ask; the operator's may do everything.
//
// # What callers owe
//
// Close. One hub per ledger file and per tenant on a broker.
package serve
