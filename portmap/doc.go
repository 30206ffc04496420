// Package portmap reads, checks and edits the table that says which web service
// of a host has which subdomain and port.
//
// Such a table stands in a README or a wiki page, as Markdown:
//
//	And for stage web services:
//
//	| service | subdomain   | port |
//	|---------|-------------|------|
//	| NIPT    | nipt-stage  | 7073 |
//	| Scout   | scout-stage | 7073 |
//
// ParseMarkdown reads it, Check says what is wrong with it, and each finding has
// a place and, where it can, a fix:
//
//	doc, err := portmap.ParseMarkdown("services.md", src)
//	if err != nil {
//		return err // every row that cannot be read, with file, line and column
//	}
//	for _, d := range doc.Map().Check(nil) {
//		fmt.Println(d) // services.md:6:27: port 7073 is listed twice: …
//	}
//	port, err := doc.Map().NextFree(portmap.Stage)
//
// # Words
//
// A [Service] is a row: a name, the subdomain people reach it by, the port it
// listens on, and the environment it belongs to, production or stage. A [Map] is
// the services of one host, plain data that a program may fill as well. A
// [Document] is the text they stand in; it comes back byte for byte, but for
// what SetPort, Add, Remove and Apply were asked to change. A [Convention] is
// the rule that ties stage ports to those of production: stated, or read off
// the map, as in "stage = production − 1010".
//
// # Forms
//
// Markdown is read and edited in place. INI, one section for each service, is
// read by [ParseINI] and written by [Map.INI].
//
// # Findings
//
// In reading: no-port-table, column-missing, column-repeated, name-missing,
// subdomain-missing, subdomain-listed-twice, port-missing, port-invalid; the
// warning cells-surplus; for INI ini-syntax, key-unknown, key-repeated.
//
// By Check: the errors port-listed-twice, port-missing, port-reserved,
// port-out-of-range, socket-listed-twice, subdomain-listed-twice,
// subdomain-invalid, domain-invalid, bind-invalid; the warnings
// stage-offset-broken, service-listed-twice and port-unsuited.
//
// The package opens no socket and reads no file: what really listens on the
// host is another package's question.
package portmap
