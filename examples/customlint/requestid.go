package main

import (
	"log/slog"
	"slices"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// requestID is the rule of this house: what is proxied carries a request ID.
var requestID = lint.Check{Name: "request-id", Level: slog.LevelError, Run: func(p *lint.Pass) error {
	sets := func(d *nginxconf.Directive) bool { return slices.Contains(d.Args(), "X-Request-ID") }
	for d, context := range p.All("proxy_pass") {
		if headers, _ := p.Effective(context, "proxy_set_header"); !slices.ContainsFunc(headers, sets) {
			p.Report(d, nil, "proxied without X-Request-ID: the application's log cannot be joined with nginx's")
		}
	}
	return nil
}}
