package validate

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	slash "path"
	"strings"
	"syscall"

	"github.com/onehost-go/onehost/nginxconf"
)

// The files of TLS are looked at only if Options.Files is there. Messages are
// those of OpenSSL 3.0, and what is not known to be wrong is taken to be right:
// this is not OpenSSL.

// hostFile reads a file of the host that is named relative to the main
// configuration file.
func (c *checker) hostFile(name string) ([]byte, error) {
	if !strings.HasPrefix(name, "/") {
		name = c.confName(name)
	}
	return fs.ReadFile(c.options.Files, cmp.Or(strings.TrimPrefix(slash.Clean("/"+name), "/"), "."))
}

// confName is ngx_conf_full_name for what is relative to the directory of the
// main configuration file.
func (c *checker) confName(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	dir := slash.Dir(c.config.Root.Name)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir
	}
	return strings.TrimSuffix(dir, "/.") + "/" + name
}

// openError returns the number and the text of what open(2) says, or 0 if it
// may as well say nothing.
func openError(err error) (number, text string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "2", "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "13", "Permission denied"
	}
	return "", ""
}

// readable tells whether a file that OpenSSL opens is there, or reports it:
// failure is what nginx says before OpenSSL's own words, with the file's name,
// and more is what comes behind them.
func (c *checker) readable(d *nginxconf.Directive, failure, mode, more string) bool {
	if d == nil || d.Arg(0) == "" || c.options.Files == nil {
		return true
	}
	_, err := c.hostFile(cstring(d.Arg(0)))
	return c.opened(d, err, failure, mode, more)
}

func (c *checker) opened(d *nginxconf.Directive, err error, failure, mode, more string) bool {
	number, text := openError(err)
	if number == "" {
		return true
	}
	name := c.confName(cstring(d.Arg(0)))
	reason := "error:10080002:BIO routines::system lib"
	code := "80000002"
	if number == "2" {
		reason = "error:10000080:BIO routines::no such file"
	} else {
		code = "8000000D"
	}
	c.failOnce(d, 1, "missing-file", "%s (SSL: error:%s:system library::%s:calling fopen(%s, %s) %s%s)",
		strings.Replace(failure, "%s", name, 1), code, text, name, mode, reason, more)
	return false
}

// passwordFile looks for a file that nginx reads itself (nginx 1.22:
// ngx_ssl_read_password_file).
func (c *checker) passwordFile(d *nginxconf.Directive) {
	if c.options.Files == nil {
		return
	}
	_, err := c.hostFile(cstring(d.Arg(0)))
	if number, text := openError(err); number != "" {
		c.fail(d, 1, "missing-file", `open() "%s" failed (%s: %s)`, c.confName(cstring(d.Arg(0))), number, text)
	} else if errors.Is(err, syscall.EISDIR) {
		c.fail(d, 1, "invalid-file", `read() "%s" failed (21: Is a directory)`, c.confName(cstring(d.Arg(0))))
	}
}

// pemFile is a file with certificates or keys, or what stands for one in the
// configuration itself.
type pemFile struct {
	name string // as nginx shows it
	text []byte
	err  error
}

// pemFile reads what an argument names; ok is false if that is not to be looked
// at.
func (c *checker) pemFile(d *nginxconf.Directive) (f pemFile, ok bool) {
	name := cstring(d.Arg(0))
	if data, found := strings.CutPrefix(name, "data:"); found {
		return pemFile{name: name, text: []byte(data)}, true
	}
	if c.options.Files == nil || strings.HasPrefix(name, "engine:") || strings.HasPrefix(name, "store:") {
		return pemFile{}, false
	}
	text, err := c.hostFile(name)
	return pemFile{c.confName(name), text, err}, true
}

// keyPair looks at a certificate and its key (nginx 1.22:
// ngx_ssl_certificate).
func (c *checker) keyPair(certificate, key *nginxconf.Directive) bool {
	var public crypto.PublicKey
	if f, ok := c.pemFile(certificate); ok {
		if f.err != nil {
			return c.opened(certificate, f.err, `cannot load certificate "%s": BIO_new_file() failed`, "r", "")
		}
		if public, ok = certificateIn(f.text); !ok {
			c.failOnce(certificate, 1, "invalid-file",
				`cannot load certificate "%s": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`, f.name)
			return false
		}
	}
	f, ok := c.pemFile(key)
	if !ok {
		return true
	}
	if f.err != nil {
		return c.opened(key, f.err, `cannot load certificate key "%s": BIO_new_file() failed`, "r", "")
	}
	private, ok := keyIn(f.text)
	if !ok {
		c.failOnce(key, 1, "invalid-file",
			`cannot load certificate key "%s": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input type: PEM)`, f.name)
		return false
	}
	if p, known := public.(interface{ Equal(crypto.PublicKey) bool }); known && private != nil && !p.Equal(private) {
		c.failOnce(key, 1, "invalid-file",
			`SSL_CTX_use_PrivateKey("%s") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)`, f.name)
		return false
	}
	return true
}

// certificateIn returns the public key of the first certificate in a file, nil
// if it cannot be told; ok is false if there is no certificate.
func certificateIn(text []byte) (public crypto.PublicKey, ok bool) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, false
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			if c, err := x509.ParseCertificate(block.Bytes); err == nil {
				return c.PublicKey, true
			}
			return nil, true
		case "TRUSTED CERTIFICATE":
			return nil, true
		}
	}
}

// keyIn returns the public part of the first private key in a file, nil if it
// cannot be told; ok is false if there is no key.
func keyIn(text []byte) (public crypto.PublicKey, ok bool) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, false
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
				if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
					return nil, true
				}
			}
		}
		if k, known := key.(crypto.Signer); known {
			return k.Public(), true
		}
		return nil, true
	}
}

// trustedFile looks at a file of certificates to trust.
func (c *checker) trustedFile(d *nginxconf.Directive) bool {
	if c.since(1, 27, 2) { // nginx itself reads it
		return c.verifyFile(d, `cannot load certificate "%s": `, "BIO_new_file() failed", "",
			"PEM_read_bio_X509_AUX() failed", "0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE")
	}
	return c.verifyFile(d, `SSL_CTX_load_verify_locations("%s") failed`, "", " error:05880002:x509 certificate routines::system lib",
		"", "05800088:x509 certificate routines::no certificate or crl found")
}

// revoked looks at a file of revoked certificates.
func (c *checker) revoked(d *nginxconf.Directive) bool {
	if c.since(1, 27, 2) {
		return c.verifyFile(d, `cannot load CRL "%s": `, "BIO_new_file() failed", "",
			"PEM_read_bio_X509_CRL() failed", "0480006C:PEM routines::no start line:Expecting: X509 CRL")
	}
	return c.verifyFile(d, `X509_LOOKUP_load_file("%s") failed`, "", " error:05880002:x509 certificate routines::system lib",
		"", "05800088:x509 certificate routines::no certificate or crl found")
}

// verifyFile tells whether a file is there and has something in PEM in it, or
// reports it. The message begins with failure, which has the file's name, and
// goes on with missing and what OpenSSL says of files, or with broken and its
// reason.
func (c *checker) verifyFile(d *nginxconf.Directive, failure, missing, more, broken, reason string) bool {
	if d == nil || d.Arg(0) == "" || c.options.Files == nil {
		return true
	}
	name := cstring(d.Arg(0))
	text, err := c.hostFile(name)
	if err != nil {
		return c.opened(d, err, failure+missing, "r", more)
	}
	if block, _ := pem.Decode(text); block == nil {
		c.failOnce(d, 1, "invalid-file", "%s%s (SSL: error:%s)", strings.Replace(failure, "%s", c.confName(name), 1), broken, reason)
		return false
	}
	return true
}

// dhFile looks at the parameters of a key exchange.
func (c *checker) dhFile(d *nginxconf.Directive) bool {
	if !c.readable(d, `BIO_new_file("%s") failed`, "r", "") {
		return false
	}
	if d == nil || d.Arg(0) == "" || c.options.Files == nil {
		return true
	}
	name := cstring(d.Arg(0))
	text, err := c.hostFile(name)
	if err != nil || strings.Contains(string(text), "-----BEGIN") {
		return true
	}
	c.failOnce(d, 1, "invalid-file", `PEM_read_bio_DHparams("%s") failed (SSL: error:0480006C:PEM routines::no start line:Expecting: DH PARAMETERS)`, c.confName(name))
	return false
}

// ticketFiles looks at the keys of session tickets, which nginx reads itself,
// at the end of the block end.
func (c *checker) ticketFiles(end *nginxconf.Directive, list *listed) bool {
	if list == nil || c.options.Files == nil {
		return true
	}
	c.late = end
	defer func() { c.late = nil }()
	for _, d := range list.inOrder() {
		name := cstring(d.Arg(0))
		text, err := c.hostFile(name)
		number, reason := openError(err)
		switch {
		case number != "":
			c.failLate("missing-file", `open() "%s" failed (%s: %s)`, c.confName(name), number, reason)
			return false
		case err == nil && len(text) != 48 && len(text) != 80:
			c.failLate("invalid-file", `"%s" must be 48 or 80 bytes`, c.confName(name))
			return false
		}
	}
	return true
}
