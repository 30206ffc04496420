package supervisorconf

import "regexp"

const masked = "***"

var (
	secretName       = regexp.MustCompile(`(?i)passw|passphrase|secret|token|credential|(api|private|access|auth)[_-]?key`)
	secretAssignment = regexp.MustCompile(`(?is)((?:passw|passphrase|secret|token|credential|(?:api|private|access|auth)[_-]?key)[\w.-]*["']?\s*[=:]\s*).+`)
	urlUser          = regexp.MustCompile(`(://[^\s:/@]*:)[^\s@]+@`)
)

// isSecret tells whether an option or variable of that name holds a secret.
func isSecret(name string) bool { return secretName.MatchString(name) }

// maskSecrets hides what looks like a password in a value that is about to be
// shown: the password of a URL, and all from KEY= on if that is the key of a
// secret. Where its value ends cannot be told: the text may be broken.
func maskSecrets(s string) string {
	s = urlUser.ReplaceAllString(s, "${1}"+masked+"@")
	return secretAssignment.ReplaceAllString(s, "${1}"+masked)
}
