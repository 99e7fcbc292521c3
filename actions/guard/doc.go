// Package guard is the manners: rules that hold for every action, whoever wrote
// it, and that no value can outbid. One guard a file, each with its reason code.
//
// It judges four of the stages that a candidate passes: quiet (is this a moment
// to say anything?), legal (may this purpose be served?), active (is the action in
// force at all?) and guard (would a decent shopkeeper say it?); and it counts strikes, by
// which an action may become mandatory. The hub uses the same functions to answer whether
// another channel may speak, so that manners are one thing in all channels.
//
// It guarantees that of several codes of a stage the one that comes first in
// catalog's list is told, and that a prohibition is lifted only by certain falsehood: what
// is unknown about an identified customer holds back, and while her history is awaited
// so does all that rests on it. Where nobody is identified there is no history that could. A verdict says
// when time alone may lift it. Nothing is allocated for what passes, nor, in a View with a Room, for what is refused.
//
// Callers owe a View that is true at View.Now; guards keep nothing.
package guard
