// Package scenario is the language in which journeys are told and tested: what is
// given, what happens, and what must be decided, with the reason. It runs the real
// mind; with devices named, the small world of agent/sim around it.
//
// It guarantees that every line counts: a line that is not understood is an error
// with its place and a hint, before anything runs. Every scenario starts a fresh
// world, and the same file gives the same result. A scenario that only looks at policies
// needs none of its own.
//
// # The language
//
// One line, one step; # starts a comment; several scenarios a file.
//
//	scenario TEXT                 starts a fresh world
//	policy DIR                    relative to the file; before the first scenario it holds for all;
//	                              none: a device to which no policy has come yet
//	at TIME | at +3d              moves the clock and fires timers. The first `at` is t0;
//	                              without one t0 is 2026-03-02T10:00:00+01:00
//	given EVENT                   something that is so
//	when EVENT                    something that happens
//	background N=V ... every D    signals that are renewed by themselves (0=V once a second: people=1 every 1s),
//	                              now and every D from now; `background off` ends all, `background off N` one
//	device D [with slots S, S]    a device of its own, with outbox and link; the first line that names
//	         [without N, N]       devices, the hub or the link makes the world a connected one. It has all
//	         [in vehicle=ID]      slots but where named, and all sources but those that it is without
//	on D given|when EVENT         on that device alone; on D background ...
//	on D then ...                 of that device alone
//	D is offline | D is online    the link of a device
//	D loses power                 and has it again at once
//	hub given EVENT               what another system tells the hub
//	given|when EVENT is refused because CODE
//	                              invalid_value, special_inferred or erased: it changes nothing
//	when the policy becomes DIR   another policy is in charge from now on; in a connected world the hub
//	                              ships it, and its version must be higher
//	link delay D                  how long a message travels (0s)
//
// What must be so, after what came before:
//
//	then slot S shows ACTION
//	then slot S is silent because CAUSE
//	then nothing is shown in S
//	then clears S because CAUSE
//	then nothing is cleared in S
//	then may CUSTOMER ABOUT INTENT CHANNEL is yes
//	then may CUSTOMER ABOUT INTENT CHANNEL is no because REASON
//	then contact REF of CUSTOMER was answered by KIND [on CHANNEL]
//	then contact REF of CUSTOMER was not answered
//	then signal N is V            of a signal, derived value, state or fact; V may be unknown
//	then signal N is read         the sensor is on; is not read
//	then D sends "..."            in any message since the scenario began; D sends no "..."
//	then D knows NAME of CUSTOMER a fact or kind of interaction is held; knows no NAME of CUSTOMER.
//	                              D is a device, `the device` (each one) or `the hub`
//	then a person is told NAME    by a hand-over since the last group of `then`; is not told NAME
//	then the policy DIR is refused because CODE
//	                              it does not compile: CODE is that of a finding, a text in quotes after it
//	                              stands in message or hint; is warned of because CODE; is good
//	and ACTION was rejected at STAGE because REASON
//	and ACTION was not a candidate
//	and text contains "..."       and text does not contain "..."
//	and uses NAME                 and does not use NAME
//	and value is N
//	and price is N                of an action whose price depends on the moment; normal price is N
//	and the customer is told "..." what explains the decision to her, in her language
//	and rank N is ACTION          of an ask with count, from 2 on
//	and told NAME                 and not told NAME, below `then a person is told`
//
// `and` speaks of the decision of the `then slot` above it. A REASON or CAUSE may be
// followed by the name of its first ground in parentheses, signal_stale(temperature),
// and by a text that its grounds contain: already_bought "purchase 2026-02-09".
//
// An episode is what lies between two groups of `then`. `slot S shows` and `is silent`
// speak of the last decision in S within the episode; where there was none, of what
// stands in S, or of why an unasked slot is empty. `nothing is shown in S` holds when
// nothing stands there and nothing was shown there unasked within the episode, but
// for what was taken down again for a reason. Without `on D` a line with devices
// concerns all of them: signals and asks go to every device that knows the slot, what
// is known of customers to the hub, and `then` must hold on every device with the slot.
//
// # Events
//
// EVENT is a line of the contract as JSON (`at` optional), or short:
//
//	ask SLOT                      [intent I] [about A] [count N] [language L] [with N=V,...]
//	anna identified by card       [shared] [language L] [vehicle=ID ...]
//	nobody identified
//	signal NAME VALUE             [age D]; a position as 52.09,5.12 [accuracy 15]
//	fact NAME VALUE of anna       [observed|inferred|third_party]; VALUE as JSON or a word; null retracts
//	fact NAME VALUE of vehicle v1 of an owner: vehicle, household, site
//	anna grants PURPOSE           [text VERSION] [until TIME]
//	anna withdraws PURPOSE        also: denies
//	anna objects to PURPOSE       anna accepts PURPOSE takes it back
//	anna is restricted            anna is unrestricted
//	KIND of ABOUT by anna         [on CHANNEL] [ref R] [value N] [due TIME]; KIND by anna
//	outcome accepted              [of DECISION] [in SLOT]; of last
//	forget anna                   merge A B, split A B, tick, link up|down
//	clock unknown                 [now TIME] [zone Z]; floor, synced
//	boot                          [clock STATE] [absent NAME ...]; all but what is durable is gone
//	lease anna until TIME         lease anna ends
//
// Each may end in `at TIME` (when it happened), `in session S`, `as ID`, `from SOURCE`. TIME is
// RFC 3339, t0, t0-21d, t0+48h, or -60s and +1h from now.
package scenario
