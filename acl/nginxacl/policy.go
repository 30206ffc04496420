package nginxacl

import (
	"fmt"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// A Policy is the access rules in force at a place of a configuration.
type Policy struct {
	// List are the rules, in order. It is empty if no level has any: everybody
	// may in.
	List acl.List
	// Origins are the directives that the rules stand in, one for each.
	Origins []*nginxconf.Directive
	// Level is the chain of the block that the rules stand in: the nearest one
	// that has any. A block with a single rule replaces all it would inherit.
	Level nginxconf.Context
	// Satisfy is "all" or "any": whether rules and authentication must both
	// let a request in, or one of them. It is inherited on its own.
	Satisfy string
	// Auth are the directives in force there that have a say in access beside
	// the rules: auth_basic, auth_request, access_by_lua_block and their kin.
	Auth []*nginxconf.Directive
}

// auth are the directives whose modules have a say in the access phase too, by
// who somebody is or by code; "off" as argument switches each of them off.
var auth = []string{
	"auth_basic", "auth_request", "auth_jwt", "auth_digest", "auth_pam", "auth_oidc",
	"access_by_lua", "access_by_lua_block", "access_by_lua_file", "js_access",
}

// For returns the rules in force in the innermost block of chain, and where
// each came from (nginx 1.22: ngx_http_access_module). An empty chain, the
// main context, has none. The error names the place of a rule that nginx
// refuses.
func For(c *nginxconf.Config, chain nginxconf.Context) (Policy, error) {
	p := Policy{Satisfy: "all"}
	rules, level := c.Effective(chain, "allow", "deny")
	p.Level = level
	for _, d := range rules {
		if d.NumArgs() != 1 {
			return p, fmt.Errorf(`%s: invalid number of arguments in "%s" directive`, d.Pos(), d.Name())
		}
		r, err := acl.ParseRule(d.Name(), d.Arg(0))
		if err != nil {
			return p, fmt.Errorf("%s: %w", d.Pos(), err)
		}
		r.Pos = d.Pos()
		p.List = append(p.List, r)
		p.Origins = append(p.Origins, d)
	}
	if d := inForce(c, chain, "satisfy"); d != nil && d.NumArgs() > 0 {
		p.Satisfy = d.Arg(0)
	}
	for _, name := range auth {
		if d := inForce(c, chain, name); d != nil && d.NumArgs() > 0 && d.Arg(0) != "off" {
			p.Auth = append(p.Auth, d)
		}
	}
	return p, nil
}

// inForce returns the directive of that name in force, or nil.
func inForce(c *nginxconf.Config, chain nginxconf.Context, name string) *nginxconf.Directive {
	ds, _ := c.Effective(chain, name)
	if len(ds) == 0 {
		return nil
	}
	return ds[len(ds)-1]
}
