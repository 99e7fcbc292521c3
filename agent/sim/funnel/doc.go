// Package funnel shows how a decision came about: how many candidates entered
// each stage, which fell there and why, and what the winner is worth.
//
// It guarantees that what is shown adds up: the candidates of a stage are those
// that fell there and those that went on, and the winner's parts give its value.
// Values that a session may not show are null already in the decision.
//
// Callers owe the bundle that the decision was made with.
package funnel
