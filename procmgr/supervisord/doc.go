// Package supervisord runs the programs of a Supervisor configuration.
//
//	config, err := supervisorconf.LoadFile("/etc/supervisor/supervisord.conf")
//	server, err := supervisord.New(config, nil)
//	err = server.Run(ctx) // until ctx is done, and all have stopped
//
// The processes are those of [procmgr]: [Server.Manager] starts and stops
// them, and tells what happens. Event listeners, FastCGI programs, syslog and
// the servers for supervisorctl are not there yet; New refuses the first
// three rather than run something else.
package supervisord
