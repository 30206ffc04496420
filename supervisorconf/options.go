package supervisorconf

import "slices"

// A ValueType is how Supervisor reads the value of an option.
type ValueType string

const (
	TypeString      ValueType = "string"
	TypeBoolean     ValueType = "boolean"     // true, yes, on, 1, false, no, off, 0, in any case
	TypeInteger     ValueType = "integer"     // as Python's int reads it
	TypeOctal       ValueType = "octal"       // "022"
	TypeByteSize    ValueType = "byte size"   // an integer, with KB, MB or GB in any case; these are 1024 of the one before
	TypeSignal      ValueType = "signal"      // "TERM", "SIGTERM", "15"
	TypeExitCodes   ValueType = "exit codes"  // 0 to 255, with commas between
	TypeAutorestart ValueType = "autorestart" // a boolean, or "unexpected"
	TypeLogLevel    ValueType = "log level"   // critical, error, warn, info, debug, trace, blather
	TypeLogFile     ValueType = "log file"    // a file in a directory that exists, or AUTO, NONE, syslog
	TypeFile        ValueType = "file"        // in a directory that exists
	TypeDirectory   ValueType = "directory"   // that exists
	TypePath        ValueType = "path"        // not looked at when the configuration is read
	TypeUser        ValueType = "user"        // a name or a number
	TypeOwner       ValueType = "owner"       // a user, or "user:group"
	TypeName        ValueType = "name"        // without blank, ":" and "/"
	TypeCommand     ValueType = "command"     // split into words as a shell does; see [Process.Args]
	TypeEnvironment ValueType = "environment" // KEY="value",KEY2="value2"; see [FormatEnvironment]
	TypeList        ValueType = "list"        // with commas between
	TypePatterns    ValueType = "patterns"    // of file names, with white space between
	TypeAddress     ValueType = "address"     // "host:port", "*:port" or "port"
	TypeSocket      ValueType = "socket"      // "unix:///run/x.sock" or "tcp://host:port"
	TypeURL         ValueType = "url"         // "http://host:port" or "unix:///run/x.sock"
	TypePlugin      ValueType = "plugin"      // "module:attribute"
)

// An OptionInfo is what Supervisor knows of an option.
type OptionInfo struct {
	Name     string
	Type     ValueType
	Unit     string // of a number: "seconds", "bytes", "processes", …; or empty
	Default  string // as a file would have it; empty: nothing
	Required bool
}

var processOptions = []OptionInfo{
	{Name: "command", Type: TypeCommand, Required: true},
	{Name: "process_name", Type: TypeName, Default: "%(program_name)s"},
	{Name: "numprocs", Type: TypeInteger, Unit: "processes", Default: "1"},
	{Name: "numprocs_start", Type: TypeInteger, Default: "0"},
	{Name: "priority", Type: TypeInteger, Default: "999"},
	{Name: "autostart", Type: TypeBoolean, Default: "true"},
	{Name: "autorestart", Type: TypeAutorestart, Default: "unexpected"},
	{Name: "startsecs", Type: TypeInteger, Unit: "seconds", Default: "1"},
	{Name: "startretries", Type: TypeInteger, Unit: "times", Default: "3"},
	{Name: "exitcodes", Type: TypeExitCodes, Default: "0"},
	{Name: "stopsignal", Type: TypeSignal, Default: "TERM"},
	{Name: "stopwaitsecs", Type: TypeInteger, Unit: "seconds", Default: "10"},
	{Name: "stopasgroup", Type: TypeBoolean, Default: "false"},
	{Name: "killasgroup", Type: TypeBoolean, Default: "false"}, // or what stopasgroup is
	{Name: "user", Type: TypeUser},
	{Name: "umask", Type: TypeOctal},
	{Name: "directory", Type: TypePath},
	{Name: "redirect_stderr", Type: TypeBoolean, Default: "false"},
	{Name: "environment", Type: TypeEnvironment},
	{Name: "serverurl", Type: TypeURL, Default: "AUTO"},
	{Name: "stdout_logfile", Type: TypeLogFile, Default: "AUTO"},
	{Name: "stdout_logfile_maxbytes", Type: TypeByteSize, Unit: "bytes", Default: "50MB"},
	{Name: "stdout_logfile_backups", Type: TypeInteger, Unit: "files", Default: "10"},
	{Name: "stdout_capture_maxbytes", Type: TypeByteSize, Unit: "bytes", Default: "0"},
	{Name: "stdout_events_enabled", Type: TypeBoolean, Default: "false"},
	{Name: "stdout_syslog", Type: TypeBoolean, Default: "false"},
	{Name: "stderr_logfile", Type: TypeLogFile, Default: "AUTO"},
	{Name: "stderr_logfile_maxbytes", Type: TypeByteSize, Unit: "bytes", Default: "50MB"},
	{Name: "stderr_logfile_backups", Type: TypeInteger, Unit: "files", Default: "10"},
	{Name: "stderr_capture_maxbytes", Type: TypeByteSize, Unit: "bytes", Default: "0"},
	{Name: "stderr_events_enabled", Type: TypeBoolean, Default: "false"},
	{Name: "stderr_syslog", Type: TypeBoolean, Default: "false"},
}

var credentialOptions = []OptionInfo{{Name: "username", Type: TypeString}, {Name: "password", Type: TypeString}}

// knownOptions are the options by type of section, and all that Supervisor 4
// looks at. A nil list takes any: the options of a plug-in are its own.
var knownOptions = map[string][]OptionInfo{
	"supervisord": {
		{Name: "minfds", Type: TypeInteger, Unit: "file descriptors", Default: "1024"},
		{Name: "minprocs", Type: TypeInteger, Unit: "processes", Default: "200"},
		{Name: "directory", Type: TypeDirectory},
		{Name: "user", Type: TypeUser},
		{Name: "umask", Type: TypeOctal, Default: "022"},
		{Name: "logfile", Type: TypeFile, Default: "supervisord.log"},
		{Name: "logfile_maxbytes", Type: TypeByteSize, Unit: "bytes", Default: "50MB"},
		{Name: "logfile_backups", Type: TypeInteger, Unit: "files", Default: "10"},
		{Name: "loglevel", Type: TypeLogLevel, Default: "info"},
		{Name: "pidfile", Type: TypeFile, Default: "supervisord.pid"},
		{Name: "identifier", Type: TypeString, Default: "supervisor"},
		{Name: "nodaemon", Type: TypeBoolean, Default: "false"},
		{Name: "silent", Type: TypeBoolean, Default: "false"},
		{Name: "childlogdir", Type: TypeDirectory, Default: "/tmp"},
		{Name: "nocleanup", Type: TypeBoolean, Default: "false"},
		{Name: "strip_ansi", Type: TypeBoolean, Default: "false"},
		{Name: "environment", Type: TypeEnvironment},
	},
	"program": processOptions,
	"fcgi-program": slices.Concat(processOptions, []OptionInfo{
		{Name: "socket", Type: TypeSocket, Required: true},
		{Name: "socket_backlog", Type: TypeInteger, Unit: "connections"},
		{Name: "socket_owner", Type: TypeOwner},
		{Name: "socket_mode", Type: TypeOctal, Default: "0700"},
	}),
	"eventlistener": slices.Concat(processOptions, []OptionInfo{
		{Name: "events", Type: TypeList, Required: true},
		{Name: "buffer_size", Type: TypeInteger, Unit: "events", Default: "10"},
		{Name: "result_handler", Type: TypePlugin, Default: defaultHandler},
	}),
	"group": {
		{Name: "programs", Type: TypeList},
		{Name: "priority", Type: TypeInteger, Default: "999"},
	},
	"inet_http_server": slices.Concat([]OptionInfo{{Name: "port", Type: TypeAddress, Required: true}}, credentialOptions),
	"unix_http_server": slices.Concat([]OptionInfo{
		{Name: "file", Type: TypePath, Required: true},
		{Name: "chmod", Type: TypeOctal, Default: "0700"},
		{Name: "chown", Type: TypeOwner},
	}, credentialOptions),
	"supervisorctl": slices.Concat([]OptionInfo{
		{Name: "serverurl", Type: TypeURL, Default: "http://localhost:9001"},
		{Name: "prompt", Type: TypeString, Default: "supervisor"},
		{Name: "history_file", Type: TypePath},
	}, credentialOptions),
	"include":      {{Name: "files", Type: TypePatterns, Required: true}},
	"rpcinterface": nil,
	"ctlplugin":    nil,
	"DEFAULT":      nil,
}

// KnownOptions returns the options that Supervisor reads in a type of section,
// "program": all others it passes over without a word. It is nil for a type
// that is not known, and for those that take any option: "rpcinterface",
// "ctlplugin" and "DEFAULT".
func KnownOptions(sectionType string) []OptionInfo {
	return slices.Clone(knownOptions[sectionType])
}

// LookupOption returns what Supervisor knows of an option, in lower case, in a
// type of section; ok is false if it passes over it there.
func LookupOption(sectionType, name string) (info OptionInfo, ok bool) {
	list := knownOptions[sectionType]
	i := slices.IndexFunc(list, func(o OptionInfo) bool { return o.Name == name })
	if i < 0 {
		return OptionInfo{}, false
	}
	return list[i], true
}
