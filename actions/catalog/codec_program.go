package catalog

import (
	"fmt"
	"math"

	"github.com/tact-edge/tact/context/place"
	"github.com/tact-edge/tact/context/rule"
	"github.com/tact-edge/tact/context/sense"
)

func (c *coder) zone(z *sense.Zone) {
	c.name(&z.Name)
	list(c, &z.Turns, mostNames, func(c *coder, t *sense.Turn) {
		whole(c, &t.From)
		whole(c, &t.Offset)
	})
}

func (c *coder) ring(r *place.Ring) {
	list(c, (*[]sense.Point)(r), mostPoints, func(c *coder, p *sense.Point) {
		whole(c, &p.Lat)
		whole(c, &p.Lon)
	})
}

func (c *coder) program(p *rule.Program) {
	list(c, &p.Inputs, mostNodes, func(c *coder, in *rule.Input) {
		whole(c, &in.From)
		c.name(&in.Name)
		whole(c, &in.Kind)
		whole(c, &in.Scope)
		whole(c, &in.Index)
		c.name((*string)(&in.Subject))
		whole(c, &in.Window)
	})
	list(c, &p.Nodes, mostNodes, (*coder).op)
	list(c, &p.Zones, rule.MaxZones, (*coder).zone)
}

// op codes a node, with its body where it has one.
func (c *coder) op(op *rule.Op) {
	if c.depth > rule.MaxDepth {
		c.fail(fmt.Errorf("bodies stand more than %d deep", rule.MaxDepth))
		return
	}
	whole(c, &op.Code)
	whole(c, &op.Kind)
	whole(c, &op.Scope)
	indexes(c, &c.room.nodes, &op.Args, mostNodes)
	whole(c, &op.Input)
	whole(c, &op.Zone)
	c.value(&op.Value)
	whole(c, &op.For)
	c.text(&op.Text)
	c.depth++
	list(c, &op.Body, mostNames, (*coder).op)
	c.depth--
}

// value codes a constant: its kind, then its content.
func (c *coder) value(v *sense.Value) {
	kind := v.Kind()
	whole(c, &kind)
	if kind != sense.List {
		c.content(kind, v)
		return
	}
	values := v.List()
	list(c, &values, mostNames, func(c *coder, x *sense.Value) {
		kind := x.Kind()
		whole(c, &kind)
		c.content(kind, x)
	})
	if !c.writing {
		*v = sense.ListValue(values)
	}
}

// content codes what a constant that is no list holds.
func (c *coder) content(kind sense.Kind, v *sense.Value) {
	if c.err != nil {
		return
	}
	switch kind {
	case sense.Null:
		if !c.writing {
			*v = sense.NullValue()
		}
	case sense.String:
		s := v.Str()
		c.text(&s)
		if !c.writing {
			*v = sense.StringValue(s)
		}
	case sense.Bool, sense.Int, sense.Double, sense.Length, sense.Timestamp, sense.Date, sense.Money:
		n := bitsOf(*v)
		c.integer(&n)
		if !c.writing {
			*v = valueOf(kind, n)
		}
	case sense.List:
		c.fail(fmt.Errorf("a list of lists"))
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
