// Package generate writes the configuration of a service from its row in a
// port map: its nginx site and its Supervisor program.
//
//	site, err := generate.Site(service, nil)       // conf.d/scout.conf
//	err = generate.Program(file, service, nil)     // [program:scout]
//	tree, err := generate.Tree(m, nil)             // all of a host
//
// What comes out is what one would write by hand: a server for port 80 that
// redirects to HTTPS, one for port 443 with the service's own IP rules and the
// four headers an application behind a proxy needs, and a program that
// Supervisor starts and restarts. It is text of the kind that the packages
// nginxconf and supervisorconf read and edit.
package generate
