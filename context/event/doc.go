// Package event is the one format of what happened: the event lines that are
// recorded on devices, replayed, written in scenarios and taken in by the hub.
//
// It is a room of its own, between the vocabulary and the mind, because five
// rooms speak it (engine, local, sim, hub, cmd) and none of them owns it.
//
// It guarantees that a line is read strictly (an unknown key, a second body, a
// wrong type is an error that names it), that a good event prints to a line
// that reads back as the same event, and that nothing is read from a line of
// more than MaxLine bytes. It knows no policy: whether a name is declared and a
// value of the declared type is the mind's business.
package event
