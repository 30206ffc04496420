// Package supervisord runs the programs of a Supervisor configuration.
//
//	config, err := supervisorconf.LoadFile("/etc/supervisor/supervisord.conf")
//	server, err := supervisord.New(config, nil)
//	err = server.Run(ctx) // until ctx is done, and all have stopped
//
// The processes are those of [procmgr]: [Server.Manager] starts and stops them,
// and tells what happens. [Server.Handler] is for supervisorctl, or for
// rpc.Client; with Options.Standalone the Server opens the sockets of the
// configuration itself, and does all else that its other sections say.
//
// [Main] is a whole supervisord, with its command line: see
// examples/supervisord. What the real one answers to its API, to supervisorctl,
// to signals and to its command line stands in testdata, and this one answers
// the same. It differs as procmgr does, which says where; it cannot run what is
// written in Python, an [rpcinterface:x] other than Supervisor's own or a
// result_handler; and it has no web pages.
package supervisord
