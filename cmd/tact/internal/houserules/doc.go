// Package houserules keeps the architecture true. It holds tests alone:
//
//   - every room is in one table (rooms_test.go) with the imports that it may
//     have, each with its reason; arrows point down only;
//   - pure rooms read no clock, start no goroutine, change no package variable,
//     range over no map unless they say why its order is harmless, use no
//     inexact mathematics and let no chip fuse a product with a sum;
//   - generated code is what go generate makes of its source;
//   - what cmd/tactd links is listed in cmd/tactd/depends.txt, so that growth
//     is a visible change: go test ./cmd/tact/internal/houserules -update
//     writes the list anew;
//   - every package says what it is, and the top-level folders are the agreed ones.
//
// Each rule is tried on code that breaks it, so that it can be seen to bite.
package houserules
