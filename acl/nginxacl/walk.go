package nginxacl

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A walk follows one request.
type walk struct {
	j        *Judge
	q        *Query
	proxy    acl.ProxyHeader
	peer     netip.Addr
	server   *place
	replaced bool // a proxy named the client
	late     bool // in a location, when conditions had asked for it
	budget   int  // places that are still looked at
}

// lateClient is what a condition may have asked for too early.
const lateClient = "the client, whom the location found after others had asked"

// judge goes on where m leads to.
func (w *walk) judge(e *Explanation, m *route.Match) {
	e.Chain = m.Chain
	for _, u := range m.Unsure {
		// "target:" speaks of what happens once access is granted.
		if !strings.HasPrefix(u, "target:") {
			*e = e.unknown("%s", u)
			return
		}
	}
	if w.budget--; w.budget < 0 {
		*e = e.unknown("there are too many files that may decide where it leads to")
		return
	}
	if len(m.Chain) == 0 {
		e.answered(m.Answer)
		return
	}
	at := w.j.at(m.Chain)
	if m.Location != nil {
		l := at
		for l.chain[len(l.chain)-1] != m.Location && len(l.chain) > 2 { // it is the limit_except
			l = w.j.at(l.chain[:len(l.chain)-1])
		}
		e.step("find-config", l.pos, l.name+" takes "+m.Path)
	}
	if m.Answer != nil {
		e.answered(m.Answer)
		return
	}
	if !w.replaced && !at.RealIP.same(&w.server.RealIP) {
		var err error
		if w.replaced, err = e.realIP("preaccess", at, w.peer, w.q, w.proxy); err != nil {
			*e = e.unknown("%v", err)
			return
		}
		w.late = w.replaced && w.j.asksClient
	}
	w.access(e, at, m)
	if e.Verdict != Allowed || e.Status != 0 {
		return
	}
	w.files(e, m)
	if e.Verdict == Allowed && m.Status >= 300 {
		// The content is the page for a status that came before.
		if v := verdictOf(m.Status); v != Allowed {
			*e = Explanation{Verdict: v, Client: e.Client, Chain: e.Chain, Steps: e.Steps, Phase: route.Rewrite.String()}
			for _, move := range m.Moves {
				if move.By != nil && move.By.Name() == "error_page" {
					e.By = move.By
				}
			}
			e.Because = fmt.Sprintf("it is refused with %d before allow and deny are looked at", m.Status)
			if e.By != nil {
				e.Because = where(e.By) + " has the answer, for " + e.Because
			}
		}
		e.Status = m.Status
	}
}

// access is the access phase.
func (w *walk) access(e *Explanation, at *place, m *route.Match) {
	p := &at.Policy
	e.From = p.Level
	if len(p.Unknown) > 0 {
		*e = e.unknown("%s is of a module that is not known, and may do anything", where(p.Unknown[0]))
		return
	}
	who := "a client on a unix socket"
	if e.Client.IsValid() {
		who = acl.AddrText(e.Client)
	}
	d := at.table().Lookup(e.Client)
	rule := voice{known: true, outcome: d.Outcome()}
	switch {
	case d.Rule >= 0:
		rule.d = p.Origins[d.Rule]
		rule.why = at.texts()[d.Rule] + " is the first rule that matches " + who
	case len(p.List) > 0:
		rule.why = fmt.Sprintf("none of the %d rules matches %s", len(p.List), who)
	default:
		rule.why = "there are no rules"
	}
	for _, d := range p.Limits {
		e.about("preaccess", d, where(d)+" answers to those who come too often")
	}
	e.about("access", rule.d, rule.why)
	voices := []voice{rule}
	// Under "satisfy all" those who are denied are not asked for anything else,
	// under "satisfy any" those who are allowed.
	if len(p.Auth) > 0 && (rule.outcome == acl.Declined || (rule.outcome == acl.Granted) == (p.Satisfy == acl.SatisfyAll)) {
		voices = append(voices, w.voices(p, m)...)
	}
	a, unknown, ok := end(p.Satisfy, voices)
	if !ok {
		*e = e.unknown("%s", voices[unknown].why)
		return
	}
	for _, v := range voices[1:] {
		e.about("access", v.d, v.why)
	}
	e.Phase = "access"
	by := rule
	if a.By >= 0 {
		by = voices[a.By]
	} else if len(voices) > 1 {
		by = voices[len(voices)-1]
	}
	e.Because, e.By = by.why, by.d
	if d.Rule >= 0 && a.By <= 0 {
		e.Rule = &p.List[d.Rule]
	}
	if len(p.Auth) > 0 && p.Satisfy == acl.SatisfyAny {
		e.Because += ", and satisfy any"
		if p.SatisfyBy != nil {
			e.Because += " (" + p.SatisfyBy.Pos().String() + ")"
		}
		if a.Outcome == acl.Granted {
			e.Because += " asks for no more"
		} else {
			e.Because += " found nothing else that lets it in"
		}
	}
	switch a.Outcome {
	case acl.Granted:
		e.Verdict = Allowed
		if w.q.TLS && p.Certificate != nil {
			*e = e.unknown("%s lets in those with a certificate alone", where(p.Certificate))
		} else if len(p.Behind) > 0 {
			*e = e.unknown("%s may refuse the request", where(p.Behind[0]))
		}
	case acl.Unauthorized:
		e.Verdict, e.Status = Unauthorized, 401
	default:
		e.Verdict, e.Status = Denied, int(a.Outcome)
	}
	if e.Status != 0 && len(p.ErrorPages) > 0 {
		w.errorPage(e, m)
	}
}

// errorPage follows a request that is refused to its error page. Without "=",
// the status stays what it is, whatever the page says.
func (w *walk) errorPage(e *Explanation, m *route.Match) {
	page := m.Refuse(e.Status)
	var by *nginxconf.Directive
	for _, move := range page.Moves[len(m.Moves):] {
		if move.By != nil && move.By.Name() == "error_page" {
			by = move.By
		}
	}
	switch {
	case by == nil && len(page.Unsure) > 0:
		*e = e.unknown("%s", page.Unsure[0])
		return
	case by == nil && page.Answer != nil:
		e.Status = page.Answer.Status // another one if the page is a URL elsewhere
		return
	case w.late:
		*e = e.unknown("%s: what it leads to may depend on "+lateClient, where(by))
		return
	}
	e.about("content", by, where(by)+" leads to the answer for those who are refused")
	next := Explanation{Client: e.Client, Steps: e.Steps}
	w.judge(&next, &page)
	first := *e
	e.Steps, e.Client = next.Steps, next.Client
	// Content may fail, and then has a status of its own.
	e.Status = next.Status
	switch {
	case next.Verdict == Unknown:
		*e = e.unknown("%s", next.Because)
	case next.Verdict != Allowed && next.Verdict != e.Verdict:
		e.Verdict, e.Rule, e.By, e.Because = next.Verdict, next.Rule, next.By, next.Because
	case next.Verdict == Allowed && next.Status < 300 && page.Status < 300:
		*e = next
		e.Because = first.Because + ", but " + where(by) + " has something for those who are refused: " + next.Because
	}
}

// files follows a request to where try_files and index may send it. Which of
// that comes true depends on files, so it counts only if it is all the same.
func (w *walk) files(e *Explanation, m *route.Match) {
	next, here := m.Next()
	if len(next) == 0 {
		return
	}
	first := *e
	verdict := Unknown
	if here {
		verdict = Allowed
	}
	for i := range next {
		n := &next[i]
		inner := first
		inner.Steps = first.Steps[:len(first.Steps):len(first.Steps)]
		if w.late {
			inner = inner.unknown("it may depend on " + lateClient)
		} else {
			w.judge(&inner, n)
		}
		switch {
		case inner.Verdict == Unknown:
			*e = inner
			return
		case verdict == Unknown: // the first
			verdict = inner.Verdict
			*e = inner
		case verdict != inner.Verdict:
			by := ""
			if moves := n.Moves[len(m.Moves):]; len(moves) > 0 && moves[0].By != nil {
				by = where(moves[0].By) + ": "
			}
			*e = first.unknown("%swhether that leads elsewhere depends on the files there are; there it is %s: %s", by, inner.Verdict, inner.Because)
			return
		case inner.Status != e.Status:
			e.Status = 0
		}
	}
}
