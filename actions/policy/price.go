package policy

import (
	"github.com/tact-edge/tact/actions/catalog"
	"github.com/tact-edge/tact/context/rule"
)

// mostWeights bounds the weights of an action together with those of its group.
const mostWeights = 8

// weights reads [{when: "rain", lever: 20 %}], and what the conditions read.
func (c *compiler) weights(f *fields) (weights []catalog.Weight, reads []placed) {
	v, ok := f.get("weights")
	if !ok {
		return nil, nil
	}
	list := c.list(v, "weights")
	if len(list) > mostWeights {
		c.fail(f.key("weights"), "too_many", "join some", "there are at most %d weights", mostWeights)
	}
	for _, x := range list {
		w := catalog.Weight{When: rule.None, Factor: catalog.One}
		one := c.fields(x, x, "weight", weightKeys...)
		if when, ok := one.get("when"); ok {
			got := c.condition(when, "when")
			w.When = got.node
			reads = append(reads, placedIn(when, got.reads)...)
		} else {
			c.fail(x, "missing_key", `as in {when: "rain", lever: 20 %}; lever: 20 % of the action itself counts always`, "the weight does not say when it counts")
		}
		if lever, ok := one.get("lever"); ok {
			w.Factor = c.lever(lever, "lever")
		} else {
			c.fail(x, "missing_key", `as in {when: "rain", lever: 20 %}`, "the weight does not say by how much")
		}
		if w.When != rule.None {
			weights = append(weights, w)
		}
	}
	return weights, reads
}

// placedIn gives what a condition reads its places in the file.
func placedIn(v value, reads reads) []placed {
	list := make([]placed, len(reads))
	for k, m := range reads {
		list[k] = placed{m, v.file.inside(v.node, m.at)}
	}
	return list
}

// price reads a price that depends on the moment, what it is normally, and how the difference is told.
func (c *compiler) price(a *catalog.Action, f *fields) []placed {
	v, ok := f.get("price")
	if !ok {
		for _, key := range []string{"normal", "disclose"} {
			if _, ok := f.get(key); ok {
				c.fail(f.key(key), "missing_key", `as in price: "8.00 * demand"`, "%s belongs to a price, and action %s has none", key, a.Name)
			}
		}
		return nil
	}
	p := &catalog.Price{Node: rule.None}
	a.Price = p
	got := c.scalar(v, "price", c.language.money)
	reads := placedIn(v, got.reads)
	p.Node = got.node
	normal, hasNormal := f.get("normal")
	if hasNormal {
		if p.Normal = c.micro(normal, "normal", -mostMoney, mostMoney); p.Normal <= 0 {
			c.fail(normal, "wrong_number", "as in normal: 8.00", "the normal price is more than nothing")
		}
	}
	said, hasDisclose := f.get("disclose")
	if hasDisclose {
		r := &textReader{compiler: c, priced: true}
		p.Disclose = r.texts(f.key("disclose"), said, "disclose")
		reads = append(reads, r.reads...)
	}
	if p.Node == rule.None {
		return reads
	}
	if fixed, ok := c.language.graph.constant(p.Node); ok {
		amount := fixed.Int()
		if amount < 0 || amount > mostMoney {
			c.fail(v, "wrong_number", "as in 8.00", "price: %s is no price", v.node.Value)
		}
		if !hasNormal {
			p.Normal = amount
		}
		return reads
	}
	const why = "a price that depends on anything says so before the text"
	switch {
	case !hasNormal:
		c.fail(v, "price_undisclosed", "add what it is otherwise, as in normal: 8.00", "action %s does not say what its price is normally: %s", a.Name, why)
	case !hasDisclose:
		c.fail(v, "price_undisclosed", `add disclose, as in disclose: {en: "{price.percent} more now, it is busy."}`, "the price of action %s is not disclosed: %s", a.Name, why)
	default:
		for k, text := range p.Disclose {
			if len(text) == 0 {
				c.fail(f.key("disclose"), "price_undisclosed", "add the language", "the price of action %s is not disclosed in %s: %s", a.Name, c.b.Languages[k], why)
			}
		}
	}
	return reads
}
