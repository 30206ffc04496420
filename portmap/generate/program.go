package generate

import (
	"cmp"
	"fmt"

	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/supervisorconf"
)

// Program writes the Supervisor program of a service into f: a section
// [program:SUBDOMAIN], named so because Supervisor allows no blanks in names.
// Options that the section has already, and that this package does not set,
// stay. On an error f is as it was.
func Program(f *supervisorconf.File, s portmap.Service, o *Options) error {
	p, err := o.plan(s)
	if err != nil {
		return err
	}
	options := []struct{ key, value string }{
		{"command", p.command()},
		{"autostart", "true"},
		{"autorestart", "true"},
		{"redirect_stderr", "true"},
		{"stdout_logfile", cmp.Or(p.LogDir, "/var/log/supervisor") + "/" + s.Subdomain + ".log"},
	}
	for _, opt := range options {
		if err := supervisorconf.CheckOption(opt.key, opt.value); err != nil {
			return fmt.Errorf("generate: %s: %w", s.Subdomain, err)
		}
	}
	section, err := f.AddSection("program", s.Subdomain)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	for _, opt := range options {
		section.Set(opt.key, opt.value)
	}
	return nil
}

func (p *plan) command() string {
	if p.Command != nil {
		return p.Command(p.service, p.bind)
	}
	bind := p.bind
	if p.UsersShape {
		bind = `"` + bind + `"`
	}
	workers := 4
	if p.service.Environment == portmap.Stage {
		workers = 2
	}
	return fmt.Sprintf("gunicorn --workers=%d --bind=%s --access-logfile=- --error-logfile=- %s",
		workers, bind, Application(p.service))
}
