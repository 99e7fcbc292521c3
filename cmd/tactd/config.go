package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tact-edge/tact/firmware/board"
)

const (
	defaultConfig = "/etc/tact/config.yaml"
	envPrefix     = "TACT_"
	maxConfig     = 1 << 20
)

// config is what the agent is told: every setting by its key, and the sources.
type config struct {
	values  map[string]value
	sources []board.Config
	written []*yaml.Node // of the sources, as they stand in the file
}

// value is one setting with where it comes from: "default", "environment NAME",
// or FILE:LINE.
type value struct {
	list   []string
	origin string
}

func (c *config) text(key string) string    { return strings.Join(c.values[key].list, ",") }
func (c *config) list(key string) []string  { return c.values[key].list }
func (c *config) origin(key string) string  { return c.values[key].origin }
func (c *config) has(key string) bool       { return c.text(key) != "" }
func (c *config) number(key string) int64   { n, _ := bytesOf(c.text(key)); return n } // was checked
func (c *config) bad(key, why string) error { return fmt.Errorf("%s: %s: %s", c.origin(key), key, why) }

// findings are all mistakes of a configuration.
type findings struct{ list []string }

func (f *findings) Error() string {
	var b strings.Builder
	for _, l := range f.list {
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.String()
}

func (f *findings) add(place, format string, args ...any) {
	f.list = append(f.list, place+": error: "+fmt.Sprintf(format, args...))
}

// readConfig reads file and environment. Its error is findings where the
// configuration is bad, all of them. A default file that is not there is empty.
func readConfig(path string, given bool, environ []string) (*config, error) {
	c := &config{values: map[string]value{}}
	var f findings
	for _, s := range settings {
		c.values[s.key] = value{list: split(s.otherwise), origin: "default"}
	}
	raw, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !given:
	case err != nil:
		return nil, &exitError{cmp.Or(permissionCode(err), exitConfiguration), fmt.Errorf("read configuration: %w", err)}
	default:
		c.readFile(path, raw, &f)
	}
	c.readEnvironment(environ, &f)
	for _, s := range settings {
		v := c.values[s.key]
		if s.check == nil || len(v.list) == 0 {
			continue
		}
		if err := s.check(v.list); err != nil {
			f.add(v.origin, "%s: %v", s.key, err)
		}
	}
	c.checkTogether(&f)
	if len(f.list) > 0 {
		return nil, &f
	}
	return c, nil
}

func permissionCode(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return exitPermission
	}
	return 0
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfig {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), maxConfig)
	}
	return os.ReadFile(path)
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// readFile reads the settings of a YAML file: sections with keys, and sources.
func (c *config) readFile(path string, raw []byte, f *findings) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		f.add(path, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if len(doc.Content) == 0 {
		return
	}
	place := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", path, n.Line, n.Column) }
	pairs(doc.Content[0], place, "the file", f, func(section, body *yaml.Node) {
		if section.Value == "sources" {
			c.readSources(body, place, f)
			return
		}
		if !slices.ContainsFunc(settings, func(s setting) bool { return strings.HasPrefix(s.key, section.Value+".") }) {
			f.add(place(section), "there is no section %q%s", section.Value, hint(section.Value, sections()))
			return
		}
		pairs(body, place, section.Value, f, func(key, body *yaml.Node) {
			name := section.Value + "." + key.Value
			s := settingOf(name)
			if s == nil {
				f.add(place(key), "there is no key %q%s", name, hint(name, keys()))
				return
			}
			list, err := listOf(body, s.mapping)
			if err != nil {
				f.add(place(body), "%s: %v", name, err)
				return
			}
			c.values[name] = value{list: list, origin: place(key)}
		})
	})
}

// pairs visits the pairs of a mapping; an empty one has none.
func pairs(n *yaml.Node, place func(*yaml.Node) string, what string, f *findings, visit func(key, body *yaml.Node)) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		f.add(place(n), "%s wants keys with values, as `id: kiosk-1`", what)
		return
	}
	seen := map[string]bool{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		key := n.Content[k]
		if seen[key.Value] {
			f.add(place(key), "%q is there twice", key.Value)
			continue
		}
		seen[key.Value] = true
		visit(key, n.Content[k+1])
	}
}

func listOf(n *yaml.Node, mapping bool) ([]string, error) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, nil
	case n.Kind == yaml.ScalarNode && (n.Tag == "" || strings.HasPrefix(n.Tag, "!!")):
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode && !mapping:
		var l []string
		for _, x := range n.Content {
			if x.Kind != yaml.ScalarNode {
				return nil, errors.New("wants a list of plain values")
			}
			l = append(l, x.Value)
		}
		return l, nil
	case n.Kind == yaml.MappingNode && mapping:
		var l []string
		for k := 0; k+1 < len(n.Content); k += 2 {
			if n.Content[k+1].Kind != yaml.ScalarNode {
				return nil, errors.New("wants plain values")
			}
			l = append(l, n.Content[k].Value+"="+n.Content[k+1].Value)
		}
		return l, nil
	}
	return nil, errors.New("wants a plain value")
}

func (c *config) readSources(n *yaml.Node, place func(*yaml.Node) string, f *findings) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		f.add(place(n), "sources wants a list, as `- {kind: nmea, serial: /dev/ttyUSB0}`")
		return
	}
	for _, x := range n.Content {
		var s board.Config
		if err := strict(x, &s); err != nil {
			f.add(place(x), "source: %v", err)
			continue
		}
		if err := s.Validate(); err != nil {
			f.add(place(x), "source: %v", err)
			continue
		}
		c.sources, c.written = append(c.sources, s), append(c.written, x)
	}
}

// strict decodes a node and refuses keys that are not known.
func strict(n *yaml.Node, into *board.Config) error {
	raw, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		text := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ", "")
		return errors.New(strings.ReplaceAll(text, " in type board.Config", ""))
	}
	return nil
}

// readEnvironment puts the environment above the file.
func (c *config) readEnvironment(environ []string, f *findings) {
	for _, e := range slices.Sorted(slices.Values(environ)) {
		name, text, ok := strings.Cut(e, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ok || !ours || !strings.Contains(rest, "__") {
			continue // TACT_ without a section is somebody else's
		}
		key := strings.ToLower(strings.Replace(rest, "__", ".", 1))
		if settingOf(key) == nil {
			f.add("environment "+name, "there is no key %q%s", key, hint(key, keys()))
			continue
		}
		c.values[key] = value{list: split(text), origin: "environment " + name}
	}
}

// hint proposes the nearest known name.
func hint(name string, known []string) string {
	best, least := "", 4
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; hint: there are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; hint: did you mean %q?", best)
}

// distance is the number of letters to change, add or drop.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := corner
			if a[i-1] != b[j-1] {
				change++
			}
			corner = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// showConfig checks the configuration, and prints it with every key as a file that
// can be read again. Secrets stay out of it.
func showConfig(_ context.Context, c *call) error {
	cfg, err := readConfig(c.config, c.given, c.environ)
	if err != nil {
		return err
	}
	if len(c.rest) == 0 || c.rest[0] == "check" {
		_, err := fmt.Fprintln(c.stdout, "configuration is good")
		return err
	}
	var doc, section yaml.Node
	doc.Kind = yaml.MappingNode
	for k, s := range settings {
		name, key, _ := strings.Cut(s.key, ".")
		if k == 0 || !strings.HasPrefix(settings[k-1].key, name+".") {
			section = yaml.Node{Kind: yaml.MappingNode}
		}
		node := s.node(cfg.list(s.key))
		switch {
		case c.origin && s.secret && cfg.has(s.key):
			node.LineComment = "(set) " + cfg.origin(s.key)
		case c.origin:
			node.LineComment = cfg.origin(s.key)
		case s.secret && cfg.has(s.key):
			node.LineComment = "(set)"
		}
		section.Content = append(section.Content, plainNode(key), node)
		if k+1 == len(settings) || !strings.HasPrefix(settings[k+1].key, name+".") {
			body := section
			doc.Content = append(doc.Content, plainNode(name), &body)
		}
	}
	sources := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	if len(cfg.written) > 0 {
		sources.Style, sources.Content = 0, cfg.written
	}
	doc.Content = append(doc.Content, plainNode("sources"), sources)
	out := yaml.NewEncoder(c.stdout)
	out.SetIndent(2)
	return errors.Join(out.Encode(&doc), out.Close())
}

func plainNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// node is a setting's value in the form of the file: empty, a text, a list, or a map.
func (s *setting) node(list []string) *yaml.Node {
	if s.secret || len(list) == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	if s.mapping {
		n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, pair := range list {
			kind, id, _ := strings.Cut(pair, "=")
			n.Content = append(n.Content, plainNode(kind), plainNode(id))
		}
		return n
	}
	if len(list) == 1 {
		return plainNode(list[0])
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, x := range list {
		n.Content = append(n.Content, plainNode(x))
	}
	return n
}
