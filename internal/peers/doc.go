// Package peers measures this module beside the libraries that people use
// today, in one run on one machine: crossplane and gonginx for nginxconf,
// ini.v1 for supervisorconf, bart for acl; and beside Supervisor itself, where
// it is installed. It is a module of its own, so that these are no requirements
// of the root module.
//
//	go test -run '^$' -bench . -count 6 ./... | tee out
//	benchstat -col /by out
//
// Read the columns in cpu-…: the machine may have other things to do. kept-MB
// is what stays in use with the result, when all garbage is gone. "words" is
// the bare tokenizer, a loop that finds the words of a file and keeps nothing,
// and "loop" compares one rule after the other, as nginx does. "net" is a filter
// for net/http made of net.IP and a lock.
//
// The tests hold facts that take no clock: what each library makes of a file
// that it only reads and prints, and of one in which it edits one line.
package peers
