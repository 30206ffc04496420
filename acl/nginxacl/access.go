package nginxacl

import (
	"fmt"
	"slices"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A voice is what one module says in the access phase.
type voice struct {
	d       *nginxconf.Directive // nil: no rule matched
	known   bool
	outcome acl.Outcome // if it is known
	why     string      // it is that, or why it is not known
}

func (v voice) says(o acl.Outcome, format string, args ...any) voice {
	v.known, v.outcome, v.why = true, o, fmt.Sprintf(format, args...)
	return v
}

// voices asks the modules other than the rules, in nginx's order.
func (w *walk) voices(p *Policy, m *route.Match) []voice {
	var all []voice
	for _, d := range p.Auth {
		switch d {
		case p.basic:
			all = append(all, w.j.basic(p, w.q, m))
		case p.request:
			if w.late {
				all = append(all, voice{d: d, why: where(d) + " decides by what is answered there, which may depend on " + lateClient})
			} else {
				all = append(all, w.j.authRequest(m, d))
			}
		default:
			all = append(all, voice{d: d, why: fmt.Sprintf("%s decides by means of its own", where(d))})
		}
	}
	return all
}

// authRequest is what auth_request says (nginx 1.22:
// ngx_http_auth_request_handler). Access rules do not matter to its request, but
// what answers of itself does.
func (j *Judge) authRequest(m *route.Match, d *nginxconf.Directive) voice {
	v := voice{d: d, why: fmt.Sprintf("%s decides by what is answered there", where(d))}
	sub := m.Subrequest(d.Arg(0))
	if sub.Answer == nil || len(sub.Unsure) > 0 {
		return v
	}
	switch s := sub.Answer.Status; {
	case s >= 200 && s < 300:
		return v.says(acl.Granted, "%s: the answer there is %d", where(d), s)
	case s == 401 || s == 403:
		return v.says(acl.Outcome(s), "%s: the answer there is %d", where(d), s)
	case s == 408 || s == 444 || s == 499:
		return v.says(444, "%s: the answer there is to close the connection", where(d))
	default:
		return v.says(500, "%s: the answer there is %d, which is a failure", where(d), s)
	}
}

// what a module may say whose word is not known. Any other status is a failure,
// and keeps the request out as well.
var possible = []acl.Outcome{acl.Declined, acl.Granted, acl.Unauthorized, acl.Forbidden}

// end is how the access phase ends, whatever those say whose word is not known.
// If that differs, ok is false, and unknown is the first of them.
func end(s acl.Satisfy, voices []voice) (a acl.Access, unknown int, ok bool) {
	outcomes := make([]acl.Outcome, len(voices))
	unknown = slices.IndexFunc(voices, func(v voice) bool { return !v.known })
	first := true
	var try func(i int) bool
	try = func(i int) bool {
		if i == len(voices) {
			b := s.Decide(outcomes...)
			if first {
				a, first = b, false
			}
			return a.Outcome == b.Outcome
		}
		if voices[i].known {
			outcomes[i] = voices[i].outcome
			return try(i + 1)
		}
		for _, o := range possible {
			outcomes[i] = o
			if !try(i + 1) {
				return false
			}
		}
		return true
	}
	return a, unknown, try(0)
}
