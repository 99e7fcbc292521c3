// Package local is the device's own face: the API by which apps on the device tell
// what happened and ask for decisions, and the stream that screens follow.
//
//	POST /v1/events               event lines in, {"accepted":n,"rejected":[{"line","error"}]} out
//	POST /v1/events?wait=1        the same, with the decision and clear lines that it caused in `lines`
//	GET  /v1/stream?slot=&session= server-sent events decision, clear, session, handover; Last-Event-ID resumes
//	GET  /v1/known?session=       what is known of who is there, for her own eyes: with why, since when, and what leaves the device
//	GET  /v1/handover?session=    what a person is told who takes over, newest first, for an hour; for staff at the device
//	GET  /v1/status               how the device is
//	GET  /v1/moments?decision=    what decisions looked at, for tact explain and tact replay: of one, or of all
//	GET  /healthz                 200 while the mind goes round
//
// # What it guarantees
//
//   - It listens where the configuration says, on loopback and a unix socket by
//     default, and answers only requests whose Host is a loopback name: a page of
//     another site that a browser on the device shows cannot reach it by a name
//     of its own. No CORS header is sent but for configured origins.
//   - Where a token is set, every request but /healthz carries it. Over the unix
//     socket the file's mode guards, and no token is wanted.
//   - An event that is answered as accepted is durable. A malformed line is
//     rejected with its number and reason, and the other lines count.
//   - Moments hold personal data in the clear: they are given over the unix socket, or to
//     who carries the token, and to nobody where no token is set. An operator takes them
//     only with the agreement of whoever is responsible for the device.
//   - Bodies, lines, headers, readers and waiting are bounded. A reader of the
//     stream that lets too much wait is cut off with a comment that says so.
//
// # What callers owe
//
// A hand-over is for staff: on the stream it is told only to who names no slot, and is not told again.
// A screen shows what `decision` says until a `clear` of the slot, or another
// decision for it; after losing the stream it clears everything first.
package local
