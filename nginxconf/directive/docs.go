package directive

// docRow is what a person would like to know of a directive. Where it means
// something else in other contexts, in says in which this is true.
type docRow struct {
	name, def, text string
	in              Context
}

// docs are sorted by name.
var docs = [...]docRow{
	{name: "access_log", def: "logs/access.log combined", text: "Where requests are logged, and in which format."},
	{name: "worker_processes", def: "1", text: "How many processes serve connections; auto is one for each CPU."},
}
