package nginxacl

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// credentials returns the user and password that a request has for auth_basic
// (nginx 1.22: ngx_http_auth_basic_user).
func (q *Query) credentials() (user, password string, ok bool) {
	if q.User != "" {
		return q.User, q.Password, true
	}
	fields := q.Header["Authorization"]
	if len(fields) == 0 {
		return "", "", false
	}
	const scheme = "Basic "
	text := fields[0]
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", "", false
	}
	text, _, _ = strings.Cut(strings.TrimLeft(text[len(scheme):], " "), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", "", false
	}
	user, password, ok = strings.Cut(string(decoded), ":")
	// To nginx, which compares them with C's functions, they end at a NUL.
	password, _, _ = strings.Cut(password, "\x00")
	return user, password, ok && user != ""
}

// basic is what auth_basic says of a request (nginx 1.22:
// ngx_http_auth_basic_handler).
func (j *Judge) basic(p *Policy, q *Query, m *route.Match) voice {
	d := p.basic
	v := voice{d: d}
	if realm, err := m.Expand(d.Arg(0)); err != nil {
		v.why = fmt.Sprintf("%s may be off, which depends on a variable: %v", where(d), err)
		return v
	} else if realm == "off" {
		return v.says(acl.Declined, "%s is off", where(d))
	}
	user, password, ok := q.credentials()
	if !ok {
		return v.says(acl.Unauthorized, "%s asks for a user and password, and the request has none", where(d))
	}
	files := j.o.Files
	if files == nil {
		files = j.config.FS()
	}
	name, err := m.Expand(p.BasicFile.Arg(0))
	switch {
	case err != nil:
		v.why = fmt.Sprintf("%s depends on a variable: %v", where(p.BasicFile), err)
		return v
	case files == nil:
		v.why = fmt.Sprintf("%s is not there to be looked at", where(p.BasicFile))
		return v
	}
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(j.config.Root.Name), name)
	}
	text, err := fs.ReadFile(files, strings.TrimPrefix(path.Clean(name), "/"))
	switch {
	case err != nil && j.o.Files == nil:
		v.why = fmt.Sprintf("%s is not where the configuration is from", where(p.BasicFile))
		return v
	case errors.Is(err, fs.ErrNotExist):
		return v.says(acl.Forbidden, "%s names a file that is not there", where(p.BasicFile))
	case err != nil:
		return v.says(500, "%s cannot be read", where(p.BasicFile))
	}
	hash, found := passwordOf(text, user)
	if !found {
		return v.says(acl.Unauthorized, "%s does not know the user %q", where(p.BasicFile), user)
	}
	right, known := matches(hash, password)
	switch {
	case !known:
		v.why = fmt.Sprintf("%s has a password of %q that only the C library can check", where(p.BasicFile), user)
	case right:
		return v.says(acl.Granted, "%s knows the password of %q", where(d), user)
	default:
		return v.says(acl.Unauthorized, "%s has another password of %q", where(p.BasicFile), user)
	}
	return v
}

// passwordOf finds a user in a password file.
func passwordOf(text []byte, user string) (hash string, found bool) {
	for line := range bytes.Lines(text) {
		line, _ = bytes.CutSuffix(line, []byte("\n"))
		if len(line) == 0 || line[0] == '#' || line[0] == '\r' {
			continue
		}
		name, rest, ok := strings.Cut(string(line), ":")
		if !ok || name != user {
			continue
		}
		if i := strings.IndexAny(rest, "\r:"); i >= 0 {
			rest = rest[:i]
		}
		return rest, true
	}
	return "", false
}

// matches tells whether a password is that of a hash (nginx 1.22: ngx_crypt).
// What nginx leaves to the C library's crypt is not known.
func matches(hash, password string) (right, known bool) {
	switch {
	case strings.HasPrefix(hash, "$apr1$"):
		return apr1(hash, password) == hash, true
	case strings.HasPrefix(hash, "{PLAIN}"):
		return hash == "{PLAIN}"+password, true
	case strings.HasPrefix(hash, "{SHA}"):
		sum := sha1.Sum([]byte(password))
		return hash == "{SHA}"+base64.StdEncoding.EncodeToString(sum[:]), true
	case strings.HasPrefix(hash, "{SSHA}"):
		salt, err := base64.StdEncoding.DecodeString(hash[len("{SSHA}"):])
		if err != nil || len(salt) < sha1.Size {
			return false, true
		}
		salt = salt[sha1.Size:]
		sum := sha1.Sum(append([]byte(password), salt...))
		return hash == "{SSHA}"+base64.StdEncoding.EncodeToString(append(sum[:], salt...)), true
	}
	return false, false
}

// apr1 is the password hash of Apache's htpasswd: MD5, a thousand times, with
// the salt of another hash.
func apr1(hash, password string) string {
	const magic = "$apr1$"
	salt := hash[len(magic):]
	salt = salt[:min(8, len(salt))]
	salt, _, _ = strings.Cut(salt, "$")
	sum := md5.Sum([]byte(password + salt + password))
	first := []byte(password + magic + salt)
	for n := len(password); n > 0; n -= md5.Size {
		first = append(first, sum[:min(n, md5.Size)]...)
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			first = append(first, 0)
		} else {
			first = append(first, password[0])
		}
	}
	sum = md5.Sum(first)
	for i := range 1000 {
		var round []byte
		add := func(b bool) {
			if b {
				round = append(round, password...)
			} else {
				round = append(round, sum[:]...)
			}
		}
		add(i&1 == 1)
		if i%3 != 0 {
			round = append(round, salt...)
		}
		if i%7 != 0 {
			round = append(round, password...)
		}
		add(i&1 == 0)
		sum = md5.Sum(round)
	}
	out := []byte(magic + salt + "$")
	write := func(v uint32, n int) {
		const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		for ; n > 0; n-- {
			out = append(out, digits[v&0x3f])
			v >>= 6
		}
	}
	for i := range 5 {
		write(uint32(sum[i])<<16|uint32(sum[i+6])<<8|uint32(sum[[...]int{12, 13, 14, 15, 5}[i]]), 4)
	}
	write(uint32(sum[11]), 2)
	return string(out)
}
