package nginxacl

import (
	"fmt"
	"slices"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// A Reach is who gets in somewhere. A client is in one of the sets, or it is
// kept out.
type Reach struct {
	// Open are those who get in as they are, Login those whom a password, a
	// certificate or another authentication lets in.
	Open, Login acl.Set
	// Unsure are those whom something decides about that cannot be judged.
	// Because says what, if there are any.
	Unsure  acl.Set
	Because string
}

// Reach returns who gets in by the policy: by rules and authentication, as if
// every request came to them. For a stream, all who get in are Open.
func (p *Policy) Reach() Reach { return reachOf(p, nil) }

// reachOf is Reach, where it may be known what auth_request says.
func reachOf(p *Policy, request *acl.Outcome) Reach {
	if len(p.Unknown) > 0 {
		return unsureReach("%s is of a module that is not known", where(p.Unknown[0]))
	}
	var r Reach
	in := p.List.Allowed()
	asked := acl.Set{} // by authentication
	auth := p.Auth
	if request != nil {
		auth = slices.DeleteFunc(slices.Clone(auth), func(d *nginxconf.Directive) bool { return d == p.request })
	}
	switch {
	case request != nil && *request != acl.Granted && *request != acl.Unauthorized && *request != acl.Forbidden: // a failure
		if p.Satisfy == acl.SatisfyAny {
			r.Open = in.Intersect(matched(p.List))
		}
	case request != nil && (*request == acl.Granted) == (p.Satisfy == acl.SatisfyAny):
		if *request == acl.Granted {
			r.Open = acl.Everybody()
		}
	case len(p.Auth) == 0 || len(auth) == 0 && p.Satisfy == acl.SatisfyAll:
		r.Open = in
	case p.Satisfy == acl.SatisfyAny:
		r.Open = in.Intersect(matched(p.List))
		if len(auth) > 0 {
			asked = r.Open.Complement()
		}
	default:
		asked = in
	}
	if !asked.IsEmpty() {
		r.Login = asked
		for _, d := range auth {
			if d != p.basic && d != p.request {
				r.Login, r.Unsure = acl.Set{}, asked
				r.Because = fmt.Sprintf("%s decides by means of its own", where(d))
				break
			}
		}
	}
	if len(p.Behind) > 0 {
		r = Reach{Unsure: r.Open.Union(r.Login).Union(r.Unsure)}
		r.Because = fmt.Sprintf("%s may refuse them", where(p.Behind[0]))
	}
	return r
}

// matched are the clients that any rule matches.
func matched(l acl.List) acl.Set {
	all := make(acl.List, len(l))
	for i, r := range l {
		r.Action = acl.Deny
		all[i] = r
	}
	return all.Denied()
}

func unsureReach(format string, args ...any) Reach {
	return Reach{Unsure: acl.Everybody(), Because: fmt.Sprintf(format, args...)}
}

// or is who gets in if there are two ways.
func (r Reach) or(s Reach) Reach {
	sum := Reach{Open: r.Open.Union(s.Open), Because: r.Because}
	sum.Login = r.Login.Union(s.Login).Minus(sum.Open)
	sum.Unsure = r.Unsure.Union(s.Unsure).Minus(sum.Open).Minus(sum.Login)
	if sum.Because == "" {
		sum.Because = s.Because
	}
	return sum
}

// within is who gets in where one has to pass both.
func (r Reach) within(s Reach) Reach {
	both := Reach{Open: r.Open.Intersect(s.Open), Because: r.Because}
	both.Login = r.Open.Union(r.Login).Intersect(s.Open.Union(s.Login)).Minus(both.Open)
	both.Unsure = r.Out().Union(s.Out()).Complement().Minus(both.Open).Minus(both.Login)
	if both.Because == "" {
		both.Because = s.Because
	}
	return both
}

// withLogin is who gets in where all have to show who they are.
func (r Reach) withLogin() Reach {
	return Reach{Login: r.Open.Union(r.Login), Unsure: r.Unsure, Because: r.Because}
}

// only is the clients of a set among those who get in.
func (r Reach) only(set acl.Set) Reach {
	return Reach{r.Open.Intersect(set), r.Login.Intersect(set), r.Unsure.Intersect(set), r.Because}
}

// Out are those who are kept out.
func (r Reach) Out() acl.Set { return r.Open.Union(r.Login).Union(r.Unsure).Complement() }

// Describe says who gets in, with the names of the house for the sets.
func (r Reach) Describe(names acl.Names) string {
	switch {
	case r.Open.IsEmpty() && r.Login.IsEmpty() && r.Unsure.IsEmpty():
		return "nobody"
	case r.Login.IsEmpty() && r.Unsure.IsEmpty():
		return names.Describe(r.Open)
	}
	var s string
	add := func(set acl.Set, suffix string) {
		if set.IsEmpty() {
			return
		}
		if s != "" {
			s += "; "
		}
		s += names.Describe(set) + suffix
	}
	add(r.Open, "")
	add(r.Login, " with a login")
	add(r.Unsure, " perhaps ("+r.Because+")")
	return s
}
