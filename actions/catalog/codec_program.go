package catalog

import (
	"fmt"
	"math"

	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

func (c *coder) zone(z *sense.Zone) {
	c.text(&z.Name)
	list(c, &z.Turns, mostNames, func(t *sense.Turn) {
		whole(c, &t.From)
		whole(c, &t.Offset)
	})
}

func (c *coder) ring(r *place.Ring) {
	list(c, (*[]sense.Point)(r), mostPoints, func(p *sense.Point) {
		whole(c, &p.Lat)
		whole(c, &p.Lon)
	})
}

func (c *coder) program(p *rule.Program) {
	list(c, &p.Inputs, mostNodes, func(in *rule.Input) {
		whole(c, &in.From)
		c.text(&in.Name)
		whole(c, &in.Kind)
		whole(c, &in.Scope)
		whole(c, &in.Index)
		c.text((*string)(&in.Subject))
		whole(c, &in.Window)
	})
	list(c, &p.Nodes, mostNodes, func(op *rule.Op) { c.op(op, 0) })
	list(c, &p.Zones, rule.MaxZones, func(z *sense.Zone) { c.zone(z) })
}

// op codes a node, with its body where it has one.
func (c *coder) op(op *rule.Op, depth int) {
	if depth > rule.MaxDepth {
		c.fail(fmt.Errorf("bodies stand more than %d deep", rule.MaxDepth))
		return
	}
	whole(c, &op.Code)
	whole(c, &op.Kind)
	whole(c, &op.Scope)
	indexes(c, &op.Args, mostNodes)
	whole(c, &op.Input)
	whole(c, &op.Zone)
	c.value(&op.Value, 0)
	whole(c, &op.For)
	c.text(&op.Text)
	list(c, &op.Body, mostNames, func(in *rule.Op) { c.op(in, depth+1) })
}

// value codes a constant: its kind, then its content.
func (c *coder) value(v *sense.Value, depth int) {
	kind := v.Kind()
	whole(c, &kind)
	if c.err != nil {
		return
	}
	n, s := int64(0), ""
	switch kind {
	case sense.Null:
		if !c.writing {
			*v = sense.NullValue()
		}
	case sense.String:
		s = v.Str()
		c.text(&s)
		if !c.writing {
			*v = sense.StringValue(s)
		}
	case sense.Bool, sense.Int, sense.Double, sense.Length, sense.Timestamp, sense.Date, sense.Money:
		n = bitsOf(*v)
		c.integer(&n)
		if !c.writing {
			*v = valueOf(kind, n)
		}
	case sense.List:
		if depth > 0 {
			c.fail(fmt.Errorf("a list of lists"))
			return
		}
		values := v.List()
		list(c, &values, mostNames, func(x *sense.Value) { c.value(x, depth+1) })
		if !c.writing {
			*v = sense.ListValue(values)
		}
	default:
		c.fail(fmt.Errorf("a constant of kind %d", kind))
	}
}

// bitsOf is the number that a constant without text is made of.
func bitsOf(v sense.Value) int64 {
	switch v.Kind() {
	case sense.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case sense.Double:
		return int64(math.Float64bits(v.Double()))
	}
	return v.Int()
}

func valueOf(kind sense.Kind, n int64) sense.Value {
	switch kind {
	case sense.Bool:
		return sense.BoolValue(n != 0)
	case sense.Double:
		return sense.RawDouble(math.Float64frombits(uint64(n)))
	case sense.Length:
		return sense.LengthValue(sense.Duration(n))
	case sense.Timestamp:
		return sense.TimestampValue(sense.Instant(n))
	case sense.Date:
		return sense.DateValue(n)
	case sense.Money:
		return sense.MoneyValue(n)
	}
	return sense.IntValue(n)
}
