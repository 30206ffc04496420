package nginxacl

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The hashes are those of "openssl passwd -apr1 -salt …" and of htpasswd -s.
func TestPasswordsAreComparedAsNginxDoes(t *testing.T) {
	for hash, right := range map[string]bool{
		"{PLAIN}secret":                          true,
		"{PLAIN}secret ":                         false,
		"$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/":  true,
		"$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ0":  false,
		"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=":      true,
		"{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0": true,
		"{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx1": false,
		"{SSHA}short":                            false,
	} {
		got, known := matches(hash, "secret")
		require.True(t, known, hash)
		require.Equal(t, right, got, hash)
	}
	right, _ := matches("$apr1$xy$7Eb1kP4fun1.UZe5c3KdZ1", "a longer password than sixteen")
	require.True(t, right)
	_, known := matches("$6$salt$hash", "secret")
	require.False(t, known, "the C library's are not known")
}

func TestTheUserOfAPasswordFile(t *testing.T) {
	file := []byte("# ada:1\n\r\nada:2:comment\nbob:3\r\nada:4")
	for user, want := range map[string]string{"ada": "2", "bob": "3"} {
		got, found := passwordOf(file, user)
		require.True(t, found)
		require.Equal(t, want, got)
	}
	_, found := passwordOf(file, "# ada")
	require.False(t, found, "a comment")
}

func TestCredentialsOfARequest(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for field, want := range map[string]string{
		"Basic " + encode("ada:x:y"):   "ada x:y",
		"bAsIc   " + encode("ada:"):    "ada ",
		"Basic " + encode(":x"):        "",
		"Basic " + encode("ada"):       "",
		"Bearer " + encode("ada:x"):    "",
		"Basic":                        "",
		"Basic !":                      "",
		"Basic " + encode("ada:x\x00"): "ada x",
	} {
		q := Query{Header: http.Header{"Authorization": {field}}}
		user, password, ok := q.credentials()
		require.Equal(t, want != "", ok, field)
		if ok {
			require.Equal(t, want, user+" "+password, field)
		}
	}
}
