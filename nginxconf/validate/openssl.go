package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// What OpenSSL says of a list or of a command depends on its release and on
// how it was built, which nobody tells us. So only what no release knows is
// refused here, in the words of OpenSSL 3.0.

// ciphers looks at a list of ciphers (OpenSSL 3.0: SSL_CTX_set_cipher_list).
func (c *checker) ciphers(d *nginxconf.Directive) bool {
	if d == nil {
		return true
	}
	list := d.Arg(0)
	problem := cipherListProblem(cstring(list))
	if problem == "" {
		return true
	}
	c.failOnce(d, 1, "invalid-value", `SSL_CTX_set_cipher_list("%s") failed (SSL: error:%s)`, list, problem)
	return false
}

const (
	noCipherMatch  = "0A0000B9:SSL routines::no cipher match"
	invalidCommand = "0A000118:SSL routines::invalid command"
)

// cipherListProblem returns what is wrong with a list, or "".
func cipherListProblem(list string) string {
	found := strings.HasPrefix(list, "DEFAULT") || strings.HasPrefix(list, "SUITEB")
	list = strings.TrimPrefix(list, "DEFAULT")
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(": ;,", r) }) {
		switch item[0] {
		case '@':
			if item != "@STRENGTH" && (!strings.HasPrefix(item, "@SECLEVEL=") || len(item) != len("@SECLEVEL=0") || item[10] < '0' || item[10] > '5') {
				return invalidCommand
			}
		case '!', '-', '+':
			if len(item) == 1 || !isCipherByte(item[1]) {
				return invalidCommand
			}
		default:
			if !isCipherByte(item[0]) {
				return invalidCommand
			}
			found = found || mayBeCiphers(item)
		}
	}
	if !found {
		return noCipherMatch
	}
	return ""
}

func isCipherByte(b byte) bool {
	return isVariable[b] || b == '-' || b == '.' || b == '='
}

// mayBeCiphers tells whether an item, such as "ECDHE+AESGCM" or
// "ECDHE-RSA-AES128-GCM-SHA256", may stand for a cipher.
func mayBeCiphers(item string) bool {
	for len(item) > 0 {
		end := 0
		for end < len(item) && isCipherByte(item[end]) {
			end++
		}
		for part := range strings.SplitSeq(item[:end], "-") {
			if !strings.Contains(cipherWords, " "+part+" ") {
				return false
			}
		}
		if end == len(item) || item[end] != '+' {
			return true
		}
		item = item[end+1:]
	}
	return true
}

// cipherWords are the names of groups of ciphers, and what the names of
// ciphers are made of.
const cipherWords = " ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT DEFAULT HIGH MEDIUM LOW EXP EXPORT EXPORT40 EXPORT56 FIPS FIPS140 eNULL aNULL NULL" +
	" kRSA kEDH kDHE kDH kDHr kDHd kEECDH kECDHE kECDH kECDHr kECDHe kPSK kRSAPSK kECDHEPSK kDHEPSK kSRP kGOST kGOST18 kKRB5 kFZA" +
	" aRSA aECDSA aDSS aDH aECDH aPSK aSRP aGOST aGOST01 aGOST12 aGOST94 aKRB5 aFZA eFZA" +
	" RSA DH DHE EDH ADH ECDH EECDH ECDHE AECDH DSS ECDSA PSK SRP KRB5 FZA" +
	" AES AES128 AES256 AESGCM AESCCM AESCCM8 AESCBC CHACHA20 POLY1305 CAMELLIA CAMELLIA128 CAMELLIA256 ARIA ARIA128 ARIA256 ARIAGCM ARIACCM" +
	" DES 3DES CBC CBC3 RC2 RC4 IDEA SEED GCM CCM CCM8 128 256 40 56 64 1024 MD5 SHA SHA1 SHA256 SHA384" +
	" GOST GOST89 GOST94 GOST89MAC GOST12 GOST2001 GOST2012 GOST2012256 GOST8912 KUZNYECHIK MAGMA KUZNYECHIKOMAC MAGMAOMAC STREEBOG SM2 SM3 SM4" +
	" SSLv2 SSLv3 TLSv1 TLSv1.0 TLSv1.1 TLSv1.2 "

// curves looks at a list of curves (OpenSSL 3.0: SSL_CTX_set1_curves_list).
func (c *checker) curves(d *nginxconf.Directive) bool {
	if d == nil || cstring(d.Arg(0)) == "auto" {
		return true
	}
	list := cstring(d.Arg(0))
	if list == "" {
		c.failOnce(d, 1, "invalid-value", `SSL_CTX_set1_curves_list("%s") failed`, list)
		return false
	}
	for name := range strings.SplitSeq(list, ":") {
		if name = strings.TrimSpace(name); name != "" && !mayBeCurve(name) {
			c.failOnce(d, 1, "invalid-value",
				`SSL_CTX_set1_curves_list("%s") failed (SSL: error:0A080106:SSL routines::passed invalid argument:group '%s' cannot be set)`, list, name)
			return false
		}
	}
	return true
}

// mayBeCurve tells whether a release of OpenSSL, or a provider of newer
// methods, may know a curve of that name.
func mayBeCurve(name string) bool {
	name = strings.ToLower(name)
	if strings.Contains(curveNames, " "+name+" ") || strings.ContainsAny(name, "_/*?") {
		return true
	}
	for _, word := range [...]string{"kem", "kyber", "frodo", "bike", "hqc", "tls13"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

const curveNames = " x25519 x448 p-192 p-224 p-256 p-384 p-521 prime192v1 prime256v1" +
	" secp160k1 secp160r1 secp160r2 secp192k1 secp192r1 secp224k1 secp224r1 secp256k1 secp256r1 secp384r1 secp521r1" +
	" sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1 sect283k1 sect283r1 sect409k1 sect409r1 sect571k1 sect571r1" +
	" k-163 b-163 k-233 b-233 k-283 b-283 k-409 b-409 k-571 b-571" +
	" brainpoolp256r1 brainpoolp384r1 brainpoolp512r1 ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192" +
	" sm2 curvesm2 gc256a gc256b gc256c gc256d gc512a gc512b gc512c default "

// sslCommands looks at the names of configuration commands (OpenSSL 3.0:
// SSL_CONF_cmd).
func (c *checker) sslCommands(list *listed) {
	if list == nil {
		return
	}
	for _, d := range list.inOrder() {
		name := cstring(d.Arg(0))
		if !strings.Contains(sslCommandNames, " "+strings.ToLower(name)+" ") || name == "" {
			c.failOnce(d, 1, "invalid-value",
				`SSL_CONF_cmd("%s", "%s") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd=%s)`, name, cstring(d.Arg(1)), name)
			return
		}
	}
}

const sslCommandNames = " signaturealgorithms clientsignaturealgorithms curves groups ecdhparameters cipherstring ciphersuites" +
	" protocol minprotocol maxprotocol options verifymode certificate privatekey serverinfofile dhparameters recordpadding numtickets" +
	" chaincapath chaincafile chaincastore verifycapath verifycafile verifycastore requestcafile requestcapath requestcastore" +
	" clientcafile clientcapath clientcastore "

// failOnce is fail for what is looked at again wherever it is inherited.
func (c *checker) failOnce(d *nginxconf.Directive, i int, code, format string, args ...any) {
	c.onlyOnce(c.fail(d, i, code, format, args...))
}
