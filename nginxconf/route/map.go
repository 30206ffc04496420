package route

import (
	"fmt"
	"strings"
	"sync"

	"github.com/onehost-go/onehost/nginxconf"
)

// A mapping is a map block, read when its variable is first asked for (nginx
// 1.22: ngx_http_map_module).
type mapping struct {
	d *nginxconf.Directive
	c *nginxconf.Config

	once      sync.Once
	source    string
	exact     map[string]string // by key, in lower case
	head      map[string]string // "*.x" and ".x", by x
	tail      map[string]string // "x.*", by x
	regex     []mapRegex
	standard  string
	hostnames bool
	volatile  bool
	err       error
}

type mapRegex struct {
	regex *expression
	value string
}

// mapping notes a map block.
func (b *builder) mapping(d *nginxconf.Directive) {
	m := &mapping{d: d, c: b.c}
	b.define(d.Arg(1), variable{mapVariable, m})
	for e := range m.entries() { // named groups are variables
		if key := e.Name(); strings.HasPrefix(key, "~") && hasNames(key) {
			b.expression(e, strings.TrimPrefix(key[1:], "*"), false)
		}
	}
}

func (m *mapping) entries() func(yield func(*nginxconf.Directive) bool) {
	return func(yield func(*nginxconf.Directive) bool) {
		if m.d.Body() == nil {
			return
		}
		for e := range m.c.In(nginxconf.Context{m.d}) {
			if !yield(e) {
				return
			}
		}
	}
}

func (m *mapping) read() {
	m.source = m.d.Arg(0)
	m.exact = map[string]string{}
	for e := range m.entries() {
		switch e.Name() {
		case "hostnames":
			m.hostnames = m.hostnames || e.NumArgs() == 0
		case "volatile":
			m.volatile = m.volatile || e.NumArgs() == 0
		}
	}
	for e := range m.entries() {
		key := e.Name()
		if e.NumArgs() != 1 || key == "include" {
			continue
		}
		v := e.Arg(0)
		switch {
		case key == "default":
			m.standard = v
		case strings.HasPrefix(key, "~"):
			pattern, caseless := strings.CutPrefix(key[1:], "*")
			m.regex = append(m.regex, mapRegex{&expression{d: e, pattern: pattern, caseless: caseless}, v})
		default:
			key = strings.TrimPrefix(key, `\`)
			if m.hostnames && strings.ContainsAny(key, "*") || m.hostnames && strings.HasPrefix(key, ".") {
				m.wildcard(key, v)
				continue
			}
			m.exact[lower(key)] = v
		}
	}
}

func (m *mapping) wildcard(key, v string) {
	put := func(to *map[string]string, key string) {
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[lower(key)] = v
	}
	switch {
	case strings.HasPrefix(key, "*."):
		put(&m.head, key[2:])
	case strings.HasPrefix(key, "."):
		m.exact[lower(key[1:])] = v
		put(&m.head, key[1:])
	case strings.HasSuffix(key, ".*"):
		put(&m.tail, key[:len(key)-2])
	default:
		m.err = fmt.Errorf("%w: the key %q of the map at %v", ErrVariable, key, m.d.Pos())
	}
}

// find returns the value, with its variables, for a text.
func (m *mapping) find(st *state, text string) (string, error) {
	low := lower(text)
	if v, found := m.exact[low]; found {
		return v, nil
	}
	if len(m.head) > 0 {
		for i := range len(low) {
			if low[i] == '.' {
				if v, found := m.head[low[i+1:]]; found {
					return v, nil
				}
			}
		}
	}
	if len(m.tail) > 0 {
		for i := strings.LastIndexByte(low, '.'); i >= 0; i = strings.LastIndexByte(low[:i], '.') {
			if v, found := m.tail[low[:i]]; found {
				return v, nil
			}
		}
	}
	if text == "" {
		return m.standard, nil
	}
	for _, r := range m.regex {
		matched, err := st.exec(r.regex, text)
		if err != nil {
			return "", fmt.Errorf("%w: %s", errMap, r.regex.doubt(err))
		}
		if matched {
			return r.value, nil
		}
	}
	return m.standard, nil
}

// maxMaps bounds maps that refer to each other, which nginx stops as well.
const maxMaps = 20

// mapped is the value of a map's variable. nginx keeps it.
func (m *Match) mapped(name string, mp *mapping) (string, error) {
	mp.once.Do(mp.read)
	if mp.err != nil {
		return "", mp.err
	}
	st := &m.state
	if st.nested++; st.nested > maxMaps {
		st.nested--
		return "", fmt.Errorf("%w: maps that go in a circle", errMap)
	}
	defer func() { st.nested-- }()
	text, err := m.Expand(mp.source)
	if err != nil {
		return "", err
	}
	if mp.hostnames {
		text = strings.TrimSuffix(text, ".")
	}
	v, err := mp.find(st, text)
	if err == nil {
		v, err = m.Expand(v)
	}
	if err == nil && !mp.volatile {
		st.set(name, v)
	}
	return v, err
}
