package nginxacl

import (
	"fmt"
	"go/token"
	"net/http"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A Verdict is what becomes of a request.
type Verdict uint8

const (
	Unknown      Verdict = iota // the files do not tell; Explanation.Because says why
	Allowed                     // no rule keeps it out
	Denied                      // 403
	Unauthorized                // 401
)

var verdicts = [...]string{"unknown", "allowed", "denied", "unauthorized"}

// String returns "unknown", "allowed", "denied" or "unauthorized".
func (v Verdict) String() string {
	if int(v) < len(verdicts) {
		return verdicts[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// MarshalText returns what String does.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(verdicts) {
		return nil, fmt.Errorf("nginxacl: no verdict %d", uint8(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText is the way back.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdicts {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("nginxacl: no verdict %q", text)
}

// A Query is a request of a client.
type Query struct {
	// Client is the address of the peer; Unix is set for one on a unix socket.
	Client netip.Addr
	Unix   bool
	// Listen is the address and port it connected to, TLS whether it speaks TLS.
	Listen netip.AddrPort
	TLS    bool
	// Proxy is the client's address as the PROXY protocol gave it. It is not
	// judged yet: the verdict is Unknown if it is set.
	Proxy string
	// Host is the Host header and, with TLS, the name in the handshake. Method
	// is GET if empty. URI is as on the request line, "/" if empty.
	Host, Method, URI string
	Header            http.Header
	// User and Password are for auth_basic. They are not judged yet.
	User, Password string
}

// A Step is one thing that led to the verdict.
type Step struct {
	Phase string         `json:"phase"` // "find-server", "find-location", "rewrite", "access"
	Text  string         `json:"text"`
	Pos   token.Position `json:"-"` // of the directive it is about; zero: none
}

// An Explanation says what becomes of a request, and why.
type Explanation struct {
	Verdict Verdict
	// Client is the address that the rules were asked about.
	Client netip.Addr
	// Phase is where the request was decided: "rewrite" if it is answered
	// before access is looked at, "access" otherwise; empty with Unknown.
	Phase string
	// Rule decided, at Rule.Pos; nil if none did.
	Rule *acl.Rule
	// From is the chain of the block that the rules were inherited from.
	From  nginxconf.Context
	Steps []Step
	// Because is the reason in one line.
	Because string
}

// Explain follows a request through a configuration: which server and location
// it comes to, what answers before access is looked at, which rules are in
// force there, and which of them decides. What it cannot tell is Unknown:
// regular expressions on the way, authentication, access handlers of other
// modules. The error says that nginx would not run the configuration, or that
// no server listens there.
func Explain(c *nginxconf.Config, q Query) (Explanation, error) {
	r, err := route.New(c)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Client: q.Client}
	if q.Unix {
		e.Client = netip.Addr{}
	}
	request := route.Request{
		Listen: q.Listen, TLS: q.TLS, Host: q.Host, Method: q.Method, URI: q.URI, Header: q.Header, Client: q.Client,
	}
	if request.URI == "" {
		request.URI = "/"
	}
	if q.TLS {
		request.ServerName, _, _ = strings.Cut(q.Host, ":")
	}
	m, err := r.Match(request)
	if err != nil {
		return e, err
	}
	if m.Server != nil {
		e.step("find-server", m.Server, "%s serves %s", words(m.Server), q.Host)
	}
	// "target:" speaks of what follows once access is granted.
	moves := ""
	for _, u := range m.Unsure {
		if !strings.HasPrefix(u, "target:") {
			return e.unknown("%s", u), nil
		}
		moves = u
	}
	if m.Location != nil {
		e.step("find-location", m.Location, "%s takes %s", words(m.Location), m.Path)
	}
	if a := m.Answer; a != nil {
		e.Verdict, e.Phase = Allowed, "rewrite"
		e.Because = fmt.Sprintf("%s answers %d before allow and deny are looked at", a.Reason, a.Status)
		if a.By != nil {
			e.Because = fmt.Sprintf("%s: %s answers before allow and deny are looked at", a.By.Pos(), a.By)
		}
		e.Steps = append(e.Steps, Step{Phase: "rewrite", Text: e.Because})
		return e, nil
	}
	if q.Proxy != "" {
		return e.unknown("the PROXY protocol's address is not judged yet"), nil
	}
	if !q.Unix {
		if e.Client, err = Client(c, m.Chain, q.Client, q.Header); err != nil {
			return e.unknown("%v", err), nil
		}
		if e.Client != q.Client {
			e.step("access", nil, "%s is a trusted proxy, and names %s as the client", q.Client, e.Client)
		}
	}
	policy, err := For(c, m.Chain)
	if err != nil {
		return e, err
	}
	e.From = policy.Level
	e.decide(policy)
	if moves != "" && e.Verdict == Allowed {
		return e.unknown("%s", moves), nil
	}
	return e, nil
}

// decide asks the rules (nginx 1.22: ngx_http_core_access_phase).
func (e *Explanation) decide(p Policy) {
	who := "a client on a unix socket"
	if e.Client.IsValid() {
		who = e.Client.String()
	}
	d := p.List.Decide(e.Client)
	denied := d.Action == acl.Deny
	asked := p.Satisfy == "any" && d.Rule < 0 || p.Satisfy == "any" && denied || p.Satisfy != "any" && !denied
	if len(p.Auth) > 0 && asked {
		*e = e.unknown("%s: %s decides as well, which is not judged yet", p.Auth[0].Pos(), p.Auth[0].Name())
		return
	}
	e.Phase, e.Verdict = "access", Allowed
	if denied {
		e.Verdict = Denied
	}
	switch {
	case d.Rule >= 0:
		rule := p.List[d.Rule]
		e.Rule = &rule
		e.Because = fmt.Sprintf("%s: %s is the first rule that matches %s", rule.Pos, rule, who)
	case len(p.List) > 0:
		e.Because = fmt.Sprintf("none of the %d rules matches %s", len(p.List), who)
	default:
		e.Because = "there are no rules"
	}
	if d.Rule >= 0 {
		e.step("access", p.Origins[d.Rule], "%s", e.Because)
	} else {
		e.step("access", nil, "%s", e.Because)
	}
}

func (e *Explanation) step(phase string, d *nginxconf.Directive, format string, args ...any) {
	s := Step{Phase: phase, Text: fmt.Sprintf(format, args...)}
	if d != nil {
		s.Pos = d.Pos()
	}
	e.Steps = append(e.Steps, s)
}

func (e Explanation) unknown(format string, args ...any) Explanation {
	e.Verdict, e.Phase, e.Rule = Unknown, "", nil
	e.Because = fmt.Sprintf(format, args...)
	return e
}

// words are a block's name and arguments.
func words(d *nginxconf.Directive) string {
	return strings.Join(append([]string{d.Name()}, d.Args()...), " ")
}
