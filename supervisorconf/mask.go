package supervisorconf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const masked = "***"

const (
	secretWords = `(?:passw|passphrase|secret|token|credential|(?:api|private|access|auth)[_-]?key)`
	wordRest    = `[\w.-]*["']?`
)

var (
	secretName = regexp.MustCompile(`(?i)` + secretWords)
	// "PASSWORD=x", "'password': x", "--password x"
	secretAssignment = regexp.MustCompile(`(?is)((?:` + secretWords + wordRest + `\s*[=:]\s*|(?:^|\s)--?[\w.-]*` + secretWords + wordRest + `\s+)).+`)
	secretLine       = regexp.MustCompile(`(?is)(` + secretWords + wordRest + `[\s=:]*)[^\n]+`)
	urlUser          = regexp.MustCompile(`(//[^\s:/@]*:)[^\s@]+@`)
)

// isSecret tells whether an option or variable of that name holds a secret.
func isSecret(name string) bool { return secretName.MatchString(name) }

// maskSecrets hides what looks like a password in a value that is about to be
// shown: the password of a URL, and all from KEY= or --key on if that is the key
// of a secret. Where its value ends cannot be told: the text may be broken.
func maskSecrets(s string) string {
	s = urlUser.ReplaceAllString(s, "${1}"+masked+"@")
	return secretAssignment.ReplaceAllString(s, "${1}"+masked)
}

// maskLine hides what follows the name of a secret in a line that is not even
// an option.
func maskLine(line string) string {
	return secretLine.ReplaceAllString(urlUser.ReplaceAllString(line, "${1}"+masked+"@"), "${1}"+masked)
}

// minSecret is the length from which on a known secret is looked for in other
// values. Shorter ones would be found in everything.
const minSecret = 4

// hideSecrets returns what hides secrets that other values were made of, by
// %(ENV_DB_PASSWORD)s for example.
func hideSecrets(secrets []string) *strings.Replacer {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return len(s) < minSecret || s == masked })
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // one may be part of another
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, masked)
	}
	return strings.NewReplacer(pairs...)
}

// secrets returns the values of variables that are called like secrets.
func (t *table) secrets() []string {
	var all []string
	for i := 0; t != nil && i < len(t.keys); i++ {
		if isSecret(t.keys[i]) {
			all = append(all, t.vals[i].str)
		}
	}
	return all
}

// hide takes the secrets out of a message about the value v.
func (l *loader) hide(c *context, v, message string) string {
	if m := maskSecrets(v); m != v {
		message = strings.ReplaceAll(strings.ReplaceAll(message, repr(v), repr(m)), v, m)
	}
	return hideSecrets(append(l.env.secrets(), c.own.secrets()...)).Replace(message)
}

// What holds secrets prints as its name, with %+v too.

// String returns the name of the file.
func (f *File) String() string { return f.Name }

// String returns the header in its brackets.
func (s *Section) String() string { return s.raw }

// String returns the option as it stands in the file, on one line and without
// comments. What looks like a secret is masked.
func (o *Option) String() string {
	return maskSecrets(o.key + o.sep + strings.ReplaceAll(o.masked(o.Value()), "\n", " "))
}

// masked returns a value of the option as it may be shown.
func (o *Option) masked(value string) string {
	if isSecret(o.key) {
		return masked
	}
	return maskSecrets(value)
}

// String returns the name of the main file.
func (c *Config) String() string { return c.Root.Name }

// String returns "[supervisord]".
func (s Supervisord) String() string { return "[supervisord]" }

// String returns "[supervisorctl]".
func (s Supervisorctl) String() string { return "[supervisorctl]" }

// String returns the header that makes the plug-in.
func (p *CtlPlugin) String() string { return "[ctlplugin:" + p.Name + "]" }

// String returns the header that makes the program.
func (p *Program) String() string { return fmt.Sprintf("[%s:%s]", p.Kind, p.Name) }

// String returns what supervisorctl calls the process: "group:name", or its
// name if the group has the same.
func (p *Process) String() string {
	if p.Program == nil || p.Program.Group == p.Name {
		return p.Name
	}
	return p.Program.Group + ":" + p.Name
}

// String returns the name.
func (g *Group) String() string { return g.Name }

// String returns where the server listens: "http://127.0.0.1:9001",
// "unix:///run/supervisor.sock".
func (s *Server) String() string {
	if s.Family == FamilyUnix {
		return "unix://" + s.Path
	}
	return fmt.Sprintf("http://%s:%d", s.Host, s.Port)
}

// String returns the header that makes the interface.
func (r *RPCInterface) String() string { return "[rpcinterface:" + r.Name + "]" }
