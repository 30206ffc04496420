package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
	"github.com/onehost-go/onehost/nginxconf/validate"
	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/portmap/generate"
	"github.com/onehost-go/onehost/supervisorconf"
)

// rules are the IP rules of every service: who -allow names, and nobody else.
func rules(o *options) func(portmap.Service) []generate.Rule {
	return func(portmap.Service) (rs []generate.Rule) {
		for _, a := range o.allow {
			rs = append(rs, generate.Rule{Action: "allow", Argument: a})
		}
		return append(rs, generate.Rule{Action: "deny", Argument: "all"})
	}
}

// writeHost writes the tree as the host has it, and as it would be sound, and
// reports on both.
func writeHost(o *options, s *screen, dir string, m *portmap.Map) error {
	s.heading("Write the configuration and check it", "portmap/generate, nginxconf, nginxconf/validate, nginxconf/lint, supervisorconf")
	for _, shape := range []struct {
		name, says string
		users      bool
	}{
		{"as-is", "as such hosts have it", true},
		{"sound", "on loopback, with a default server", false},
	} {
		root := filepath.Join(dir, shape.name)
		files, err := generate.Tree(m, &generate.Options{UsersShape: shape.users, Domain: o.domain, Rules: rules(o)})
		if err != nil {
			return err
		}
		if err := writeTree(root, files); err != nil {
			return err
		}
		s.item("%s  %d files, %s:", s.bold(shape.name+"/"), len(files), shape.says)
		if err := showService(s, root, m.Services); err != nil {
			return err
		}
		findings, programs, err := check(root)
		if err != nil {
			return err
		}
		summarize(s, root, findings)
		if open := everywhere(programs); len(open) > 0 {
			s.warn("%d programs listen on every interface (--bind=\":PORT\"): nginx's IP rules can be walked around", len(open))
		}
		if len(findings) == 0 {
			s.ok("nothing to report on %d sites and %d programs", len(files)-2, len(programs))
		}
	}
	return nil
}

// showService shows what is written for one service.
func showService(s *screen, root string, services []portmap.Service) error {
	if len(services) == 0 {
		return nil
	}
	name := famous(services).Subdomain
	site, err := nginxconf.LoadFile(filepath.Join(root, "nginx", "conf.d", name+".conf"))
	if err != nil {
		return err
	}
	src, err := os.ReadFile(filepath.Join(root, "supervisor", "supervisord.conf"))
	if err != nil {
		return err
	}
	programs, err := supervisorconf.Parse("supervisord.conf", src)
	if err != nil {
		return err
	}
	for d := range site.Find("server", "location", "proxy_pass") {
		s.item("  %-20s %s", name+".conf", s.faint(d.String()))
	}
	s.item("  %-20s %s", "[program:"+name+"]", s.faint("command="+programs.Section("program", name).Get("command").Value()))
	return nil
}

// famous returns the service that people know, or the first.
func famous(services []portmap.Service) portmap.Service {
	for _, s := range services {
		if s.Subdomain == "scout" {
			return s
		}
	}
	return services[0]
}

func writeTree(root string, files []generate.File) error {
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// check reads a tree back and returns what validate and lint find, or an error
// if it cannot be used at all.
func check(root string) (nginxconf.Diagnostics, []string, error) {
	c, err := nginxconf.LoadFile(filepath.Join(root, "nginx", "nginx.conf"))
	if err != nil {
		return nil, nil, err
	}
	if ds := validate.Config(c, nil); ds.Err() != nil {
		return nil, nil, ds
	}
	findings, err := lint.Run(c, lint.Default()...)
	if err != nil {
		return nil, nil, err
	}
	sup, err := supervisorconf.Load(os.DirFS(root), "supervisor/supervisord.conf", &supervisorconf.LoadOptions{
		IsDir: func(string) bool { return true }, // /var/log/supervisor is the host's
	})
	if err != nil {
		return nil, nil, err
	}
	var commands []string
	for _, p := range sup.Processes() {
		commands = append(commands, p.Command)
	}
	return findings, commands, nil
}

// everywhere returns the commands that bind a port without an address.
func everywhere(commands []string) (open []string) {
	for _, c := range commands {
		if strings.Contains(c, `--bind=":`) {
			open = append(open, c)
		}
	}
	return open
}

// summarize prints each kind of finding once, with its first place.
func summarize(s *screen, root string, findings nginxconf.Diagnostics) {
	count := map[string]int{}
	for _, d := range findings {
		count[d.Code]++
	}
	for _, d := range findings {
		n := count[d.Code]
		if n == 0 {
			continue
		}
		count[d.Code] = 0
		at := d.Start
		if rel, err := filepath.Rel(root, at.Filename); err == nil {
			at.Filename = rel
		}
		more := ""
		if n > 1 {
			more = s.faint(fmt.Sprintf(" (%d times)", n))
		}
		show := s.warn
		if d.Level >= slog.LevelError {
			show = s.bad
		}
		show("%s: %s [%s]%s", at, d.Message, d.Code, more)
	}
}

// testNginx asks the installed nginx whether it accepts a configuration.
func testNginx(ctx context.Context, s *screen, conf, prefix string) error {
	nginx, err := exec.LookPath("nginx")
	if errors.Is(err, exec.ErrNotFound) {
		s.item("%s", s.faint("nginx is not installed, so nginx -t is not asked"))
		return nil
	}
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, nginx, "-t", "-q", "-c", conf, "-p", prefix, "-g", nginxGlobals).CombinedOutput()
	if err != nil {
		return fmt.Errorf("nginx -t refuses it: %s", strings.TrimSpace(string(out)))
	}
	version, _ := exec.CommandContext(ctx, nginx, "-v").CombinedOutput()
	_, name, _ := strings.Cut(strings.TrimSpace(string(version)), ": ")
	s.ok("nginx -t accepts it (%s)", strings.TrimPrefix(name, "nginx version: "))
	return nil
}

// nginxGlobals keeps nginx to its directory.
const nginxGlobals = "pid nginx.pid; error_log stderr warn;"
