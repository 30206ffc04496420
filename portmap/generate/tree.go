package generate

import (
	"fmt"

	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/supervisorconf"
)

// A File is one of a tree's files. Name is relative to the tree, with slashes.
type File struct {
	Name string
	Data []byte
}

// Tree returns all files of a host: nginx/nginx.conf, one
// nginx/conf.d/SUBDOMAIN.conf per service, and supervisor/supervisord.conf
// with a program per service. The services are those of both environments.
// Two services of one subdomain are an error; [portmap.Map.Check] tells more.
func Tree(m *portmap.Map, o *Options) ([]File, error) {
	main, err := Main(o)
	if err != nil {
		return nil, err
	}
	files := []File{{"nginx/nginx.conf", main.Bytes()}}
	programs, err := supervisorconf.Parse("supervisord.conf", []byte(supervisord))
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	if o != nil && o.LogDir != "" {
		programs.Section("supervisord", "").Set("logfile", o.LogDir+"/supervisord.log")
	}
	for _, s := range m.Services {
		site, err := Site(s, o)
		if err != nil {
			return nil, err
		}
		if programs.Section("program", s.Subdomain) != nil {
			return nil, fmt.Errorf("generate: two services have the subdomain %s", s.Subdomain)
		}
		if err := Program(programs, s, o); err != nil {
			return nil, err
		}
		files = append(files, File{"nginx/" + site.Name, site.Bytes()})
	}
	return append(files, File{"supervisor/supervisord.conf", programs.Bytes()}), nil
}

// supervisord is what a supervisord needs to run and to be driven by
// supervisorctl.
const supervisord = `[supervisord]
logfile=/var/log/supervisor/supervisord.log
pidfile=/run/supervisord.pid

[unix_http_server]
file=/run/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///run/supervisor.sock
`
