// Package peers measures context/rule beside other engines; see bench_test.go.
package peers
