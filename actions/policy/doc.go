// Package policy is the author's side: a folder of YAML files with conditions in
// CEL becomes a bundle, or findings that say where and what is wrong and how to
// mend it. It is the only room that knows cel-go and YAML.
//
// It guarantees that all findings of a folder come in one run, in order of file,
// line and column; that with an error among them there is no bundle; that nothing
// an author wrote is silently ignored; and that equal folders give equal bundles
// on every machine. Comments, the order of keys and the spread over files do not
// change a bundle.
//
// Three words that authors confuse: `eligible` asks whether we may (age, law, a
// right), `applicable` whether it makes sense now (where, when, what is sensed),
// `suitable` whether it is good for this customer (an open invoice, a complaint).
// And three more: `max_age` is how old a signal's reading may be before it is
// unknown; `fresh` is how long a fact is still trusted; `keep` is how long it is
// still held.
//
// What is judged is more than types: for what data is held and used, where it came
// from, what is special or sensitive, what leaves the device, which question nobody
// needs, which price is not disclosed, which text reveals what nobody told, what can
// never hold (package reach), and what nothing uses. Grammar and Conditions are the
// help for authors, whose examples the tests compile.
//
// Callers owe nothing: reading never changes the folder.
package policy
