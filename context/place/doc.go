// Package place says where somebody is: inside an area, outside it, or in
// between, with hysteresis by margin and accuracy.
package place
