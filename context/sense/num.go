package sense

// NumValue returns the value of a kind that one number stands for (bool, int, double by its bits, duration,
// timestamp, date, money), from that number as Int gives it.
func NumValue(k Kind, num int64) Value { return Value{kind: k, num: num} }

// IsNum says whether one number stands for every value of the kind.
func (k Kind) IsNum() bool {
	return k == Bool || k == Int || k == Double || k == Length || k == Timestamp || k == Date || k == Money
}
