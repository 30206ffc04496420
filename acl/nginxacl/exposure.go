package nginxacl

import (
	"errors"
	"fmt"
	"hash/maphash"
	"regexp"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A Side is what a configuration makes of a URL, whoever asks for it.
type Side struct {
	// Chain is that of the block that serves it; nil if none does.
	Chain nginxconf.Context
	// Reach is who gets in. Nobody gets in where nginx itself refuses or
	// redirects all requests: that exposes nothing.
	Reach Reach
	// Answer is what nginx replies to all requests, before it looks at access;
	// nil if it does look.
	Answer *route.Answer
	// Policy is in force there, nil without a Chain.
	Policy *Policy
	// Server is the policy of the server around it, whose settings are the
	// first that say who a client is.
	Server *Policy
	// None is why there is nothing that could answer: no server listens there.
	None string
	// What the server says, where it cannot be told what that comes to.
	text string
	// Also tells of other clients for whom something else decides: those of
	// whom a condition says so, or who get another answer when refused.
	Also []string
}

// An exposure is what becomes of requests for a URL: at the place they come to
// and, if that sends them elsewhere, there.
type exposure struct {
	Side
	elsewhere []exposed // by the files there are
}

// An exposed place is one that try_files or index may send a request to.
type exposed struct {
	to string // the new path, or the name of a named location
	Side
}

// expose returns what becomes of requests that send nothing but what q says.
func (j *Judge) expose(q route.Request) exposure {
	classes := []class{{set: acl.Everybody()}}
	var divided map[string]bool
	for {
		asked := ""
		var sum exposure
		for i, c := range classes {
			q.Variable = j.whoAsks(c, divided, &asked)
			if q.Unix != "" && c.sample.IsValid() {
				q.RealIP = c.sample
			}
			x := j.exposeTo(q)
			if asked != "" {
				break
			}
			if divided != nil {
				x.only(c.set)
			}
			if i == 0 {
				sum = x
			} else {
				sum.merge(&x)
			}
		}
		if asked == "" {
			return sum
		}
		by := j.addresses()
		if g := j.geos[asked]; g != nil {
			by = g.classes()
		}
		classes = divide(classes, by)
		if divided == nil {
			divided = map[string]bool{}
		}
		divided[asked] = true
	}
}

// whoAsks answers for the clients of a class. What tells clients apart who are
// in one class is noted in asked, if they can be divided by it.
func (j *Judge) whoAsks(c class, divided map[string]bool, asked *string) func(string) (string, bool) {
	if !j.asksClient {
		return nil
	}
	return func(name string) (string, bool) {
		g := j.geos[name]
		switch {
		case g != nil && g.classes() == nil || g == nil && (name != "remote_addr" || j.vague):
			return "", false
		case !divided[name]:
			*asked = name
		}
		if g != nil {
			return g.Lookup(c.sample).Value, true
		}
		return acl.AddrText(c.sample), true
	}
}

// exposeTo is expose for clients of one class.
func (j *Judge) exposeTo(q route.Request) exposure {
	m, err := j.router.Match(q)
	if err != nil {
		s := Side{None: "no server listens there"}
		if errors.Is(err, route.ErrHandshake) {
			s.None = "the TLS handshake fails"
		}
		return exposure{Side: s}
	}
	x := exposure{Side: j.side(&m, 0)}
	if x.Policy == nil || x.Answer != nil {
		return x
	}
	next, here := m.Next()
	for i := range next {
		n := &next[i]
		moves := n.Moves[len(m.Moves):]
		if len(moves) == 0 {
			continue // try_files answers with a status
		}
		s := j.side(n, 0)
		if s.Block() == x.Block() && s.Answer == nil {
			here = true // or as good as here
			continue
		}
		s.Reach = s.Reach.within(x.Reach)
		x.elsewhere = append(x.elsewhere, exposed{moves[len(moves)-1].To, s})
	}
	if !here {
		x.Reach = Reach{}
		for _, e := range x.elsewhere {
			x.Reach = x.Reach.or(e.Reach)
		}
	}
	if q.TLS && x.Policy.Certificate != nil {
		x.Reach = x.Reach.withLogin()
		for i := range x.elsewhere {
			x.elsewhere[i].Reach = x.elsewhere[i].Reach.withLogin()
		}
	}
	return x
}

// side is what becomes of requests where m leads to. Those who are refused may
// get something else, if that is not refused either.
func (j *Judge) side(m *route.Match, depth int) Side {
	s := Side{Chain: m.Chain, Answer: m.Answer}
	for _, u := range m.Unsure {
		if !strings.HasPrefix(u, "target:") {
			s.Reach = unsureReach("%s", u)
			if m.Server != nil {
				s.text = m.Server.String()
			}
			return s
		}
	}
	if len(m.Chain) < 2 {
		return s
	}
	at := j.at(m.Chain)
	s.Policy, s.Server = &at.Policy, &j.at(m.Chain[:2]).Policy
	switch {
	case m.Answer != nil && m.Answer.Status < 300:
		s.Reach = Reach{Open: acl.Everybody()}
	case m.Answer == nil && m.Status < 300: // it is no page for those who were refused
		s.Reach = at.reach()
		if isOn(at.request) {
			if v := j.authRequest(m, at.request); v.known {
				s.Reach = reachOf(&at.Policy, &v.outcome)
			}
		}
		out := s.Reach.Out()
		if len(at.ErrorPages) == 0 || out.IsEmpty() || depth > 3 {
			break
		}
		page := m.Refuse(403)
		if page.Answer != nil && page.Answer.Status >= 300 || page.Answer == nil && page.Status >= 300 {
			break
		}
		instead := j.side(&page, depth+1)
		instead.Reach = instead.Reach.only(out)
		if !instead.Reach.Out().Equal(acl.Everybody()) {
			s.Reach = s.Reach.or(instead.Reach)
			s.Also = append(append(s.Also, "those who are refused are sent on to "+instead.Name()+": "+instead.Why()), instead.Also...)
		}
	}
	return s
}

// only leaves the clients of a set.
func (x *exposure) only(set acl.Set) {
	x.Reach = x.Reach.only(set)
	for i := range x.elsewhere {
		x.elsewhere[i].Reach = x.elsewhere[i].Reach.only(set)
	}
}

// merge adds what becomes of other clients.
func (x *exposure) merge(y *exposure) {
	merge := func(s, t *Side) {
		s.Reach = s.Reach.or(t.Reach)
		if s.Policy == t.Policy && s.by() == t.by() {
			return
		}
		other := *t
		if s.Answer != nil && t.Answer == nil { // what looks at access is of more interest
			other = *s
			s.Chain, s.Answer, s.Policy, s.Server = t.Chain, t.Answer, t.Policy, t.Server
		}
		if also := "for others " + other.Name() + ": " + other.Why(); !slices.Contains(s.Also, also) {
			s.Also = append(s.Also, also)
		}
	}
	merge(&x.Side, &y.Side)
	for _, e := range y.elsewhere {
		i := slices.IndexFunc(x.elsewhere, func(have exposed) bool { return have.to == e.to })
		if i < 0 {
			x.elsewhere = append(x.elsewhere, e)
		} else {
			merge(&x.elsewhere[i].Side, &e.Side)
		}
	}
}

// Block is the innermost block that serves the URL, or nil.
func (s *Side) Block() *nginxconf.Directive {
	if len(s.Chain) == 0 {
		return nil
	}
	return s.Chain[len(s.Chain)-1]
}

// Name is the block in words: "location /admin/", or "server".
func (s *Side) Name() string {
	if d := s.Block(); d != nil {
		return words(d)
	}
	return s.None
}

// Why says in words what decides about access, and where that stands.
func (s *Side) Why() string {
	switch {
	case s.None != "":
		return s.None
	case s.Answer != nil && s.Answer.By != nil:
		return fmt.Sprintf("%s answers all requests", where(s.Answer.By))
	case s.Answer != nil:
		return fmt.Sprintf("%d (%s) is the answer to all requests", s.Answer.Status, s.Answer.Reason)
	case s.Policy == nil:
		return s.Reach.Because
	}
	return s.Policy.Words(len(s.Chain))
}

// Words says what the policy consists of, and where that stands. The number is
// the length of the chain that it is in force for: what comes from further out
// is said to be inherited.
func (p *Policy) Words(length int) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if n := len(p.List); n > 0 {
		inherited := ""
		if len(p.Level) < length {
			inherited = ", inherited from " + words(p.Level[len(p.Level)-1])
		}
		first, last := p.List[0], p.List[n-1]
		switch {
		case n == 1:
			add("%s (%s%s)", first, first.Pos, inherited)
		case n <= 3:
			var all []string
			for _, r := range p.List {
				all = append(all, r.String())
			}
			add("%s (%s%s)", strings.Join(all, " "), first.Pos, inherited)
		default:
			add("%d rules from %s to %s (%s%s)", n, first, last, first.Pos, inherited)
		}
	} else {
		add("no rules")
	}
	if p.Certificate != nil {
		add("%s (%s)", p.Certificate, p.Certificate.Pos())
	}
	for _, d := range slices.Concat(p.Auth, p.Behind, p.Unknown) {
		add("%s (%s)", head(d), d.Pos())
	}
	if p.SatisfyBy != nil && len(p.Auth) > 0 && p.Satisfy == acl.SatisfyAny {
		add("satisfy any (%s)", p.SatisfyBy.Pos())
	}
	if p.RealIP.on() {
		header := p.RealIP.Header
		if header == "" {
			header = "X-Real-IP"
		}
		d := p.RealIP.by()
		add("clients of trusted proxies are those of %s (%s)", header, d.Pos())
	}
	if p.Internal != nil {
		add("internal (%s)", p.Internal.Pos())
	}
	return strings.Join(parts, "; ")
}

// by is a directive that makes nginx look for another client.
func (ip *RealIP) by() *nginxconf.Directive {
	if len(ip.Origins) > 0 {
		return ip.Origins[0]
	}
	return ip.Unresolved[0]
}

// trusts are the peers whose word is taken.
func (ip *RealIP) trusts() acl.Set { return matched(ip.List) }

// how is the way in which they name a client.
func (ip *RealIP) how() string { return fmt.Sprint(ip.Header, ip.Recursive) }

// places are those that messages name, "conf.d/a.conf:3:5".
var places = regexp.MustCompile(`\S+:\d+:\d+`)

// key is what decides when it cannot be judged: the text of that, wherever it
// stands. Two sides with one key are unsure for one reason.
func (s *Side) key() string {
	if s.Policy == nil {
		return places.ReplaceAllString(s.Reach.Because, "") + s.text
	}
	var key strings.Builder
	for _, d := range slices.Concat(s.Policy.Auth, s.Policy.Behind, s.Policy.Unknown) {
		key.WriteString(d.String())
		key.WriteByte('\n')
	}
	return key.String()
}

// login is by what those who are asked for one get in: the text of that.
func (s *Side) login() string {
	if s.Policy == nil || s.Reach.Login.IsEmpty() {
		return ""
	}
	var b strings.Builder
	for _, d := range s.Policy.Auth {
		b.WriteString(d.String())
		if d == s.Policy.basic {
			b.WriteString(" " + s.Policy.BasicFile.String())
		}
	}
	return b.String()
}

// A fingerprinter tells whether blocks say the same, their includes followed.
type fingerprinter struct {
	c    *nginxconf.Config
	hash maphash.Hash
}

func (f *fingerprinter) of(d *nginxconf.Directive) uint64 {
	f.hash.Reset()
	f.write(d)
	return f.hash.Sum64()
}

// frame is the fingerprint of the http block without its servers, and without
// what has no bearing on where requests go and who gets in.
func (f *fingerprinter) frame(d *nginxconf.Directive) uint64 {
	f.hash.Reset()
	for inner := range f.c.In(nginxconf.Context{d}) {
		switch name := inner.Name(); name {
		case "server", "include", "upstream", "log_format", "access_log", "error_log", "server_tokens", "types", "default_type",
			"sendfile", "tcp_nopush", "tcp_nodelay", "keepalive_timeout", "add_header", "proxy_set_header", "charset", "expires":
		default:
			if !strings.HasPrefix(name, "gzip") {
				f.write(inner)
			}
		}
	}
	return f.hash.Sum64()
}

func (f *fingerprinter) write(d *nginxconf.Directive) {
	for i := range d.NumArgs() + 1 {
		f.hash.WriteString(d.Raw(i))
		f.hash.WriteByte(0)
	}
	if d.Body() == nil {
		f.hash.WriteByte(';')
		return
	}
	f.hash.WriteByte('{')
	f.body(d.Body())
	f.hash.WriteByte('}')
}

func (f *fingerprinter) body(b *nginxconf.Body) {
	for d := range b.Directives() {
		if d.Name() != "include" {
			f.write(d)
			continue
		}
		for file := range f.c.Included(d) {
			f.body(&file.Body)
		}
	}
}
