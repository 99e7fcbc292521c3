// Command bench turns the output of go test -bench into figures that keep their
// names, so that two measurements can be compared: make bench runs it.
//
// A benchmark reports a figure as a metric whose unit is the figure's name and
// its unit with a colon between, and what it is compared with in the same way:
//
//	b.ReportMetric(184, "rule.update.1000:ns")               // the figure
//	b.ReportMetric(373000, "rule.update.1000:ns:peer:cel-go") // a peer, measured in the same run
//	b.ReportMetric(250, "rule.update.1000:ns:at-most")        // the mark to reach
//	b.ReportMetric(0.2, "outbox.append.256:ratio-at-least")   // a mark for value/peer
//
// A figure's name is lower-case words, digits, points, dashes and underscores;
// it has at most one peer and one mark. With -count the median counts. Every
// other metric (ns/op, allocs/op) is passed over.
//
// It guarantees figures in order of name, and an error for a figure without a
// value, with two units, or when there are none at all. The result on stdout is
//
//	{"machine","go","commit","time","figures":[
//	  {"figure","value","unit","peer","peer_value","ratio","mark","met"}]}
//
// with null for what there is not; mark is text such as "<= 250" or "ratio >= 0.2".
package main
