// Package contact is the contact policy: caps, cool-offs, minimum waits, volumes and
// the pressure of having been bothered, across actions, channels and devices.
//
// It guarantees that all limits must permit, that "at most N" holds at zero, that
// zero is zero and never "no limit", and that windows are counted exactly: a
// rolling window of d at T is (T-d, T], what lasts for d from T holds on
// [T, T+d), a calendar window is cut in its own zone, the policy's or the one where
// the customer lives now, whatever summer time does to the length of its days. In
// doubt about the clock a calendar cap holds, and while the customer's history is awaited
// every cap does. What a clock ahead of this one dated counts.
//
// A contact is reserved at the decision and counts as shown until it is known to
// have failed. The order in which contacts became known changes nothing. Contacts are those of
// all devices, as far as the hub and this one have heard of each other; what neither can know of the
// other is bounded by units that the hub leases: a limit that concerns an action takes one of each contact.
// While the customer's slice is awaited, an answer that was given on this device pauses as ever.
//
// Callers owe a View that is true at View.Now.
package contact
