// Package rpc speaks Supervisor's XML-RPC API: to a running supervisord, or to
// any server with the same API.
//
//	c, err := rpc.Dial("unix:///run/supervisor.sock")
//	err = c.StartProcess(ctx, "scout", true) // until it is RUNNING
//	if errors.Is(err, rpc.AlreadyStarted) {
//		…
//	}
//	log, err := c.Tail(ctx, "scout", procmgr.Stdout) // and whatever is written from now on
//
// There is a method for each one of the API, with a context and with types of
// its own; [Client.Call] calls any other. Faults have Supervisor's numbers and
// texts, see [Fault]. [Client.Apply] does what people type reread, update and
// restart for.
//
// [NewHandler] is the other side: it serves the API for a procmgr.Manager, such
// that the real supervisorctl drives it.
//
//	l, err := rpc.ListenUnix("/run/onehost.sock", 0o700, -1, -1)
//	err = rpc.Serve(ctx, l, rpc.NewHandler(manager, nil))
//
// The words are Supervisor's: a process is addressed "group:process", or just
// "process" if its group has the same name, and "group:*" is a whole group.
package rpc
