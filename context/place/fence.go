package place

import "github.com/tact-edge/tact/context/sense"

// Side is where a fix lies, as far as it can be told.
type Side uint8

const (
	Unknown Side = iota // in between, or no fix yet
	Outside
	Inside
)

var sideNames = [...]string{"unknown", "outside", "inside"}

func (s Side) String() string { return sideNames[s] }

// UnsaidAccuracy is taken for a fix whose source says nothing of its accuracy, in millimetres.
const UnsaidAccuracy = 15_000

// Side returns on which side of the area a position certainly lies: deeper than margin
// and accuracy together, or outside by as much; Unknown in between.
func (s *Shape) Side(position sense.Value) Side {
	accuracy := position.Accuracy()
	if accuracy < 0 {
		accuracy = UnsaidAccuracy
	}
	doubt := s.area.Margin + min(accuracy, MaxRadius)
	switch depth := s.depth(position.Point(), float64(doubt)/1000+1); {
	case depth > doubt:
		return Inside
	case depth < -doubt:
		return Outside
	}
	return Unknown
}

// Fence is the side on which somebody was last with certainty. It outlives restarts.
type Fence struct{ Last Side }

// Fix takes in a position and returns the side that holds now: the last certain one.
func (f *Fence) Fix(s *Shape, position sense.Value) Side {
	if side := s.Side(position); side != Unknown {
		f.Last = side
	}
	return f.Last
}
