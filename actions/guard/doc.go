// Package guard is the manners: rules that hold for every action, whoever wrote
// it, and that no value can outbid. One guard a file, each with its reason code.
//
// It judges three of the stages that a candidate passes: quiet (is this a moment
// to say anything?), legal (may this purpose be served?) and guard (would a
// decent shopkeeper say it?). The hub uses the same functions to answer whether
// another channel may speak, so that manners are one thing in all channels.
//
// It guarantees that a prohibition is lifted only by certain falsehood: what
// is unknown about an identified customer holds back. A verdict says when time
// alone may lift it.
//
// Callers owe a View that is true at View.Now; guards keep nothing.
package guard
