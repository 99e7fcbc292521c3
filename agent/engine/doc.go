// Package engine is the whole mind: Step takes what happened at one instant and
// returns what to persist, what to take down, what to show and when to wake it.
//
// The way of one step: signals and events are folded into the moment and the
// slices; conditions are evaluated once; who has gone is gone; what is shown is
// judged again; asks are answered; free unasked slots are offered. A candidate
// passes the stages quiet, legal, active, eligible, applicable, suitable, guard,
// contact, value, ranked, treatment, and falls at the first that does not hold.
//
// It guarantees that the same inputs give the same outputs, byte for byte, on
// every machine: no clock, disk, network, goroutine, lock, global randomness or
// map order is inside. A decision explains itself: what fell, where, and why.
//
// Callers owe instants that never decrease, every due timer at its own instant
// before anything later (Advance does it), and the effects of an Output in its
// order, of which Persist is the commit point.
//
// What a step puts out is lent until the next one: Output.Keep takes a copy. A decision looks at the candidates that the
// rules keep as eligible, and at those that ask for more than words, conditions and a purpose: each passes the manners,
// since they tell when to look again, and since a contact that is booked changes what they say. Of the others nothing
// is looked at, unless nothing is said: each fell by its purpose, its language or a condition, and time alone lets none
// of them through. Where they fell, what their conditions lacked, and what they would have been worth is worked out
// when Decision.Explain asks, while the moment is still that of the decision: what one request says of the moment ends
// with its answer, which is explained before. Words are put together for who is shown alone. An ask allocates nothing
// but what is kept of it: a contact in the customer's slice as that grows, and a chunk of memory for the names and texts
// of some dozens of decisions.
//
// With 1,000 actions, 120 of them eligible, an ask spends nine tenths on the manners of the 120, and a twentieth on
// scoring and ranking them, exactly and best first: bounds (arbiter.Ranking) would save less than they cost. To judge
// the best alone would take a twenty-fifth of the ask; but the manners of the rest belong to the list of those that
// fell, which is asked for of every decision that is recorded, and they would have to be judged by a history without
// the contact that was booked meanwhile.
//
// Choices where the contract leaves one:
//
// Timers that are due at one instant are one step, since their order cannot be seen in
// its outcome. An unasked silence is reported when its cause changes, not at every step: a
// sensor that speaks ten times a second would drown the log in repetitions of the same.
//
// The outcome "last" means what was shown last to whom is served now, in the session or
// the slot, also when it has left the screen; an ask that was answered with silence leaves
// nothing to answer in its slot. That a contact was shown, ignored or failed counts once.
// An asked showing counts as a showing too: an unasked slot does not repeat it.
//
// A fallback need not be worth its bother, and passes every other stage like the rest. An
// ask in a language that the policy does not speak is answered in the session's. An id is
// used up by an event that was taken, not by one that was refused. keep_armed counts from
// the last instant at which the action was applicable, whether or not it could be said. Who
// came for help is held to it until answered, or until the visit has ended: ends_after from
// the last identify or ask, or from when the policy's end of session was last certainly
// false. Numbers follow the order of lines where one step makes several decisions.
//
// What a session may not show of whom it serves, because she is only seen, on a shared card, known less
// surely than the slot asks, or not certainly alone before a shared screen, is left out of the reasons of its
// decisions: value and age are null, since the age of a purchase is its date.
//
// A visit is the customer's, in whatever session she is served; what was asked of whoever stood there
// before she said who she is counts for her. After a restart it is pieced together from the contacts
// that lie closer together than a visit's end. What she asks about is remembered once it is answered: a
// question that rests on it can come after the answer, in the same visit. An answer that cannot be used
// may be asked for again while its question is the last thing that a slot has shown her. Without a way of
// delivery any one will do; a way that an action does not have makes it not applicable. A yes to whether a
// fact is right happened when the outcome did.
//
// What somebody asks about that is sensitive is answered, and its record leads to nobody: no contact, no
// request, no handle. Caps and pauses therefore do not know of it.
//
// A price is rounded to the millionth, spoken with two decimals, and said to differ in whole percents or
// tenths of one. Of a structured treatment max_text bounds the text alone. A price that is not known makes
// an action not applicable for the reason of its input, and a free slot is tried again at each step until it is.
//
// A volume counts from the decision, gives back what the screen said had failed, and keeps no more showings of an
// action than can count. One that a new policy adds counts from then on.
//
// Strikes are counted when something of the customer in a session changes: staff are told at each count from
// the one on at which nothing is sold, once; after a restart the note of it in her history says that they were.
// A person is told only what is held for the purpose of what was accepted, and is permitted now; of what strikes
// make, the last decisions alone.
//
// Of derived values that may leave, true and false leave at each turn, and nothing before the first true; others once
// a day of the policy's zone and at the end of the session, where they changed. The slice must be here, since an
// objection may stand in it. A special one leaves for a purpose with explicit consent, which names its text.
//
// A new policy leaves standing what it still has, in that slot, with words of that kind; as what was said before, so
// that no screen flickers. What was shown unasked counts as shown under it. Facts and interactions that it does not
// declare, or only for purposes without a basis, go; consents and objections stay, since they protect. What waits to be
// sent of them is withheld, but for facts of vehicles, households and sites, of which the mind keeps no record.
//
// Memory is bounded by Config: beyond Sessions the one that was idle longest goes, beyond Customers or MaxSlices
// bytes the one without a running lease and used longest ago; never who is served, has something that the hub's
// slice does not show, or was shown something that may turn out never to have been seen. Where nobody can go
// the event is refused. Of one customer MostPending facts and interactions may wait for the hub, then more are
// refused; words on consent, objections and restrictions are always taken, and the last of each kind waits. A mind
// that stands for a replay has no bound unless it is given one: its input is what bounds it. A step costs what it
// touches, however many customers are held and sessions are open: it looks at those in which something happened, in it
// or in the step before, for which time has come to something, or which a condition that turned concerns. All are looked
// at where something concerns all: the clock, the connection, hours of quiet, a new policy, a condition of the device
// alone, derived values that may leave, and where readings are asked for.
//
// A slice is wanted while its customer is in a session, and as long as its lease runs. Merges and
// splits are the hub's to say: only a replay takes a merge, and none takes a split. Once a lease has ended nothing
// of it is held; of what this device said to her itself, and what she refused here, what the hub does not know yet, and
// then nothing at all. While no slice is here what was heard here holds back all the same: a refusal of a purpose, an
// objection, a restriction, an answer that pauses. It lets nothing in.
//
// Contacts are united by decision id: the hub's slice brings those of all devices, and leaves those that this one
// made. Of another device's contact nothing is kept once nothing counts it: how often an action was shown, which
// ranks those of equal worth, is counted over the contacts that are held and what this device said itself. What is
// told here is folded in under the name of this device as its source, as it comes back from the hub.
//
// Units of limits are used while their lease runs by a clock that is synced: whether one has ended, floor and
// unknown cannot say. They are dropped when no session serves the customer, and kept over a restart; what is lent of
// each subject that is not named, under the bundle whose subjects it means. That a unit is
// missing is judged once all else permits. What is asked once ever ("still right?") is no limit, and takes none.
//
// A moment record is the moment as one decision looked at it: session, ask, readings with their ages,
// outcomes of what looks back over time, slice. It is not a log of inputs since a checkpoint: that would
// be written at every reading of every sensor, whatever came of it, and flash pays for each; a moment is
// written only where something is decided, and needs nothing that came before.
//
// Thaw takes such a record up again, with the bundle of then: Past makes the decision once more, byte for
// byte, tells what each action was worth, and says what would have had to be different for another to win
// (WhyNot), or by the smallest change (Smallest). Devices freeze; people thaw.
//
// Without Config.Zone the calendars of all customers are cut by the policy's zone, whatever zone
// they have declared.
package engine
