package validate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// A mutator makes a configuration slightly wrong, as people do: a word is
// missing, misspelt or in the wrong place, a brace is gone, a line stands twice.
type mutator struct {
	generator
	names []string // of all directives
	forms []directive.Form
	sites []*site // what may be copied from
}

func newMutator(table *directive.Table) *mutator {
	m := &mutator{}
	for f := range table.Forms() {
		switch f.Name {
		case "pid": // we say it
		case "include": // of what was written before
		default:
			m.forms = append(m.forms, f)
		}
		if n := len(m.names); n == 0 || m.names[n-1] != f.Name {
			m.names = append(m.names, f.Name)
		}
	}
	return m
}

// table returns what the nginx that is asked knows: the modules that are built
// in, and those of stream and mail, which are loaded.
func (u *upstream) table(t *testing.T) *directive.Table {
	table, err := directive.Nginx(u.version)
	require.NoError(t, err)
	out, err := u.command("-V").CombinedOutput()
	require.NoError(t, err)
	missing := []string{"ngx_http_xslt_filter_module"}
	for _, m := range regexp.MustCompile(`--with-(\w+)_module=dynamic`).FindAllStringSubmatch(string(out), -1) {
		missing = append(missing, "ngx_"+m[1]+"_module")
	}
	return table.Built(string(out)).Own().Without(missing...)
}

// A span is a part of a text.
type span struct{ from, to int }

func (s span) of(text string) string { return text[s.from:s.to] }

// A site is a configuration with the places that can be changed.
type site struct {
	text       string
	directives []*nginxconf.Directive
	blocks     []*nginxconf.Directive
}

func newSite(t *testing.T, text string) *site {
	f, _ := nginxconf.Parse("nginx.conf", []byte(text))
	s := &site{text: text}
	for d := range f.All() {
		if d.Terminated() {
			s.directives = append(s.directives, d)
			if d.Body() != nil {
				s.blocks = append(s.blocks, d)
			}
		}
	}
	require.NotEmpty(t, s.directives)
	return s
}

func whole(d *nginxconf.Directive) span { return span{d.Pos().Offset, d.End().Offset} }

func word(d *nginxconf.Directive, i int) span {
	start, end := d.Span(i)
	return span{start.Offset, end.Offset}
}

func (s *site) replace(at span, by string) string { return s.text[:at.from] + by + s.text[at.to:] }

func (s *site) insert(at int, text string) string { return s.text[:at] + text + s.text[at:] }

// swap exchanges two parts that do not overlap; else the text stays.
func (s *site) swap(a, b span) string {
	if a.from > b.from {
		a, b = b, a
	}
	if a.to > b.from {
		return s.text
	}
	return s.text[:a.from] + b.of(s.text) + s.text[a.to:b.from] + a.of(s.text) + s.text[b.to:]
}

func one[T any](g generator, of []T) T { return of[g.IntN(len(of))] }

// word returns a random directive and the number of one of its words, mostly of
// an argument.
func (m *mutator) word(s *site) (*nginxconf.Directive, int) {
	d := one(m.generator, s.directives)
	if d.NumArgs() == 0 || m.IntN(8) == 0 {
		return d, 0
	}
	return d, 1 + m.IntN(d.NumArgs())
}

// inside returns a place right behind a '{' or before a '}', or at the top.
func (m *mutator) inside(s *site) int {
	if m.IntN(10) == 0 || len(s.blocks) == 0 {
		return len(s.text)
	}
	b := one(m.generator, s.blocks)
	if m.IntN(2) == 0 {
		return b.TermPos().Offset + 1
	}
	return b.End().Offset - 1
}

// misspell changes a byte or two of a word.
func (m *mutator) misspell(w string) string {
	if w == "" {
		return "x"
	}
	i := m.IntN(len(w))
	switch m.IntN(8) {
	case 0, 1:
		return w[:i] + w[i+1:]
	case 2:
		return w[:i] + w[i:i+1] + w[i:]
	case 3:
		if i+1 < len(w) {
			return w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:]
		}
		return w[:i]
	case 4:
		return w[:i] + m.pick("x", "-", ".", "/", ":", "$", "0", "9", "_", "=", "*", "~", ",", "k", "s", "%", "(", "[", "\\", "@", "#") + w[i+1:]
	case 5:
		return w[:i] + m.pick("x", "-", ".", "/", ":", "$", "0", "9", "_", "=", "*", "~", ",", "k", "s", "%", "(", "[", "\\", "@", "#", "'", `"`, "{", "}", ";", " ", "\n") + w[i:]
	case 6:
		return strings.ToUpper(w)
	}
	return w[:i]
}

// odd are words that stand in no site.
func (m *mutator) odd() string {
	return m.pick("''", "0", "1", "-1", "on", "off", "default", "$nosuch", "$", "${", "$1", "$uri", "$host", "/", "=", "~", "~*", "^~", "@x", "x", "99999999999999999999", "65536", "1k", "1s", "10ms", "1.5", "127.0.0.1", "127.0.0.1:80", "[::1]:80", "unix:/x", "*", "any", "all", "none", "http://127.0.0.1/", "(", "a{2}", `"a b"`, "zone=x:1m", "max=1", "ssl", "backup", "flush=1s", "escape=json", "if=$x", "\x00")
}

// borrowed returns a word of another directive, often of another site, or one
// that stands nowhere.
func (m *mutator) borrowed(s *site) string {
	switch m.IntN(4) {
	case 0, 1:
		return m.odd()
	case 2:
		s = one(m.generator, m.sites)
	}
	d, i := m.word(s)
	return word(d, i).of(s.text)
}

// copied returns a directive, often of another site.
func (m *mutator) copied(s *site) string {
	if m.IntN(2) == 0 {
		s = one(m.generator, m.sites)
	}
	return whole(one(m.generator, s.directives)).of(s.text)
}

// mutate makes one change.
func (m *mutator) mutate(t *testing.T, text string) string {
	s := newSite(t, text)
	switch m.IntN(26) {
	case 0, 1: // a word is missing
		d, i := m.word(s)
		return s.replace(word(d, i), "")
	case 2: // twice
		d, i := m.word(s)
		w := word(d, i)
		return s.insert(w.to, " "+w.of(text))
	case 3: // two words of a directive are swapped
		d := one(m.generator, s.directives)
		if d.NumArgs() > 0 {
			i := m.IntN(d.NumArgs())
			return s.swap(word(d, i), word(d, i+1))
		}
	case 4, 5, 6: // misspelt
		d, i := m.word(s)
		w := word(d, i)
		return s.replace(w, m.misspell(w.of(text)))
	case 7, 8: // a word of another directive, or from elsewhere
		d, i := m.word(s)
		return s.replace(word(d, i), m.borrowed(s))
	case 9: // one more
		d, i := m.word(s)
		return s.insert(word(d, i).to, " "+m.borrowed(s))
	case 10, 11: // a directive is missing
		return s.replace(whole(one(m.generator, s.directives)), "")
	case 12, 13: // twice
		w := whole(one(m.generator, s.directives))
		return s.insert(w.to, "\n"+w.of(text))
	case 14, 15: // a copy elsewhere
		return s.insert(m.inside(s), "\n"+m.copied(s)+"\n")
	case 16: // moved
		w, at := whole(one(m.generator, s.directives)), m.inside(s)
		switch {
		case at >= w.to:
			return text[:w.from] + text[w.to:at] + "\n" + w.of(text) + "\n" + text[at:]
		case at <= w.from:
			return text[:at] + "\n" + w.of(text) + "\n" + text[at:w.from] + text[w.to:]
		}
	case 17: // two are swapped
		return s.swap(whole(one(m.generator, s.directives)), whole(one(m.generator, s.directives)))
	case 18: // a directive of another name
		d := one(m.generator, s.directives)
		return s.replace(word(d, 0), one(m.generator, m.names))
	case 19: // a new one
		name := one(m.generator, m.names)
		for range m.IntN(3) {
			name += " " + m.borrowed(s)
		}
		return s.insert(m.inside(s), "\n"+name+m.pick(";", ";", ";", " {\n}")+"\n")
	case 20: // ';' or '{' is another sign
		at := one(m.generator, s.directives).TermPos().Offset
		return s.replace(span{at, at + 1}, m.pick("", "", ";;", "{", "{}", ";", ":", ",", "};", " { }"))
	case 21: // '}' is missing or twice
		if len(s.blocks) > 0 {
			at := one(m.generator, s.blocks).End().Offset
			return s.replace(span{at - 1, at}, m.pick("", "}}", "};", "}\n}", ";"))
		}
	case 22: // a block without its braces
		if len(s.blocks) > 0 {
			b := one(m.generator, s.blocks)
			body := text[b.TermPos().Offset+1 : b.End().Offset-1]
			return s.replace(whole(b), m.pick(body, body, "", text[b.Pos().Offset:b.TermPos().Offset]+";"))
		}
	case 23: // a block around a directive
		d := one(m.generator, s.directives)
		b := m.pick("server", "location /new", "http", "if ($host)", "upstream new", "events", "stream", "limit_except GET", "map $host $new", "types", "location @new", "location ~ new")
		return s.replace(whole(d), b+" { "+whole(d).of(text)+" }")
	case 24: // quotes
		d, i := m.word(s)
		w := word(d, i)
		quote := m.pick(`"`, "'", "`")
		return s.replace(w, m.pick(quote+w.of(text)+quote, quote+w.of(text), w.of(text)+quote, strings.Trim(w.of(text), `"'`)))
	case 25: // any byte
		at := m.IntN(len(text))
		return s.replace(span{at, at + m.IntN(2)}, m.pick("", ";", "{", "}", "#", `"`, "'", "\\", "$", " ", "\n", "\x00", "\xff", "x"))
	}
	return text
}

// environmental begin messages that say something of the machine that nginx runs
// on, or that OpenSSL says.
var environmental = [...]string{
	"bind() to ", "open() ", "pread() ", "mkdir() ", "host not found in ", "getpwnam", "getgrnam",
	"dlopen() ", "setsockopt", "chmod() ", "chown() ", "socket() ", "could not open error log", "invalid PID number",
	"ioctl(", "fcntl(", "listen() ", "ENGINE_by_id(", "duplicate value in ", "eventfd", "epoll_create",
}

// newMutants returns the nginx to ask, with files for TLS and the like beside
// it, and the configurations to change.
func newMutants(t *testing.T) (*upstream, *mutator, []string) {
	u := newUpstream(t)
	u.pemFiles(t)
	u.beside = map[string]string{"extra.map": "/robots.txt 1h;\n"}
	table := u.table(t)
	u.knows = slices.Collect(table.Modules())
	m := newMutator(table)
	names, err := filepath.Glob("testdata/sites/*.conf")
	require.NoError(t, err)
	sites := []string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		sites = append(sites, string(text))
		m.sites = append(m.sites, newSite(t, string(text)))
	}
	return u, m, sites
}

// TestOracleMutants asks the installed nginx about configurations of testdata
// with one or two changes each.
func TestOracleMutants(t *testing.T) {
	u, m, sites := newMutants(t)
	for _, text := range sites {
		if diff := u.compare(t, text); diff != "" {
			assert.Fail(t, diff, text)
		}
	}
	rnd, cases := oracleSize(t, 200)
	m.generator = generator{rnd}
	refused, judged := 0, 0
	for range cases {
		conf := m.mutate(t, one(m.generator, sites))
		if m.IntN(5) == 0 && len(conf) > 0 {
			conf = m.again(t, conf)
		}
		message, line := u.ask(t, conf)
		if slices.ContainsFunc(environmental[:], func(p string) bool { return strings.HasPrefix(message, p) }) {
			continue
		}
		judged++
		if message != "" {
			refused++
		}
		if diff := u.differs(message, line, u.first(t, conf)); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
	t.Logf("%d judged, %d of them refused", judged, refused)
}

// again makes another change, if the first one left a directive.
func (m *mutator) again(t *testing.T, text string) string {
	f, _ := nginxconf.Parse("nginx.conf", []byte(text))
	for d := range f.All() {
		if d.Terminated() {
			return m.mutate(t, text)
		}
	}
	return text
}

// argument returns a word for a directive, mostly one that fits its type.
func (m *mutator) argument(f *directive.Form) string {
	if m.IntN(6) == 0 {
		return m.borrowed(one(m.generator, m.sites))
	}
	switch f.Type {
	case directive.Flag:
		return m.pick("on", "off", m.flag())
	case directive.Number:
		if strings.Contains(f.Name, "_hash_") { // nginx allocates what it is told
			return m.pick("0", "1", "32", "64", "512", "4096", "65536", "x", "''")
		}
		return m.number()
	case directive.Size, directive.Offset, directive.ComplexSize:
		return m.size()
	case directive.TimeMS, directive.TimeS:
		return m.time()
	case directive.Enum, directive.Bitmask:
		if len(f.Values) > 0 {
			return m.pick(f.Values...)
		}
	case directive.Complex, directive.Predicate:
		return m.pick("a", "$remote_addr", m.text())
	}
	return m.pick("a", "b", "/a", "1", "10", "8k", "10s", "on", "off", "127.0.0.1", "127.0.0.1:80", "unix:a.sock", "http://127.0.0.1", "$remote_addr",
		"zone=z:1m", "zone=z", "max=10", "inactive=1m", "a=b", "any", "default", "x", "text/html", "''", "200", "404", "http_500", "error", "GET", "cert.pem", "=", "~", "none", "$v", "shared:z:1m")
}

// use returns a directive as the table has it, with random arguments.
func (m *mutator) use(f *directive.Form) string {
	n := m.IntN(4)
	for try := 0; !f.Args.Takes(n) && try < 20 || f.Args == 0; try++ {
		if n = m.IntN(9); f.Args == 0 {
			break
		}
	}
	if m.IntN(12) == 0 {
		n++
	}
	text := f.Name
	for range n {
		text += " " + m.argument(f)
	}
	if f.Block {
		return text + " {\n" + m.pick("", "", "", "a b;", "default 1;", "server 127.0.0.1:80;") + "\n}"
	}
	return text + ";"
}

// around puts text into a context.
func around(context directive.Context, text string) string {
	server := "server {\nlisten 127.0.0.1:5300;\n"
	http := "events {\n}\nhttp {\n"
	stream := "events {\n}\nstream {\n"
	switch context {
	case directive.Main:
		return "events {\n}\n" + text + "\n"
	case directive.Events:
		return "events {\n" + text + "\n}\n"
	case directive.HTTP:
		return http + text + "\n" + server + "}\n}\n"
	case directive.HTTPServer:
		return http + server + text + "\n}\n}\n"
	case directive.HTTPLocation:
		return http + server + "location / {\n" + text + "\n}\n}\n}\n"
	case directive.HTTPServerIf:
		return http + server + "if ($host) {\n" + text + "\n}\n}\n}\n"
	case directive.HTTPLocationIf:
		return http + server + "location / {\nif ($host) {\n" + text + "\n}\n}\n}\n}\n"
	case directive.HTTPLimitExcept:
		return http + server + "location / {\nlimit_except GET {\n" + text + "\n}\n}\n}\n}\n"
	case directive.HTTPUpstream:
		return http + "upstream u {\n" + text + "\nserver 127.0.0.1:80;\n}\n}\n"
	case directive.Stream:
		return stream + text + "\n" + server + "return a;\n}\n}\n"
	case directive.StreamServer:
		return stream + server + text + "\nreturn a;\n}\n}\n"
	case directive.StreamUpstream:
		return stream + "upstream u {\n" + text + "\nserver 127.0.0.1:80;\n}\n}\n"
	case directive.Mail:
		return "events {\n}\nmail {\n" + text + "\n" + server + "protocol imap;\nauth_http 127.0.0.1;\n}\n}\n"
	}
	return "events {\n}\nmail {\n" + server + "protocol imap;\nauth_http 127.0.0.1;\n" + text + "\n}\n}\n"
}

// TestOracleEveryDirective asks the installed nginx about one or two directives
// of all that it knows, in all contexts, with arguments that may be right.
func TestOracleEveryDirective(t *testing.T) {
	u, m, _ := newMutants(t)
	rnd, cases := oracleSize(t, 200)
	m.generator = generator{rnd}
	for range cases {
		f := one(m.generator, m.forms)
		context := one(m.generator, contexts[:])
		for f.Contexts&context == 0 {
			context = one(m.generator, contexts[:])
		}
		text := m.use(&f)
		switch m.IntN(6) {
		case 0:
			text += "\n" + m.use(&f)
		case 1:
			g := one(m.generator, m.forms)
			text += "\n" + m.use(&g)
		}
		conf := around(context, text)
		message, line := u.ask(t, conf)
		if slices.ContainsFunc(environmental[:], func(p string) bool { return strings.HasPrefix(message, p) }) {
			continue
		}
		if diff := u.differs(message, line, u.first(t, conf)); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}

// contexts are those of nginx's own blocks.
var contexts = [...]directive.Context{
	directive.Main, directive.Events, directive.HTTP, directive.HTTPServer, directive.HTTPLocation, directive.HTTPUpstream,
	directive.HTTPServerIf, directive.HTTPLocationIf, directive.HTTPLimitExcept, directive.Mail, directive.MailServer,
	directive.Stream, directive.StreamServer, directive.StreamUpstream,
}
