package portmap

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParsePortTakesDecimalDigitsOnly(t *testing.T) {
	for text, want := range map[string]Port{"1": 1, "80": 80, "8080": 8080, "65535": 65535} {
		got, err := ParsePort(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	for text, want := range map[string]string{
		"":                     "the port is empty",
		"http":                 `port "http" is not a number`,
		"80 80":                `port "80 80" is not a number`,
		" 80":                  `port " 80" is not a number`,
		"8080/tcp":             `port "8080/tcp" is not a number`,
		"8,080":                `port "8,080" is not a number`,
		"8080.0":               `port "8080.0" is not a number`,
		"0x1F90":               `port "0x1F90" is not a number`,
		"8_080":                `port "8_080" is not a number`,
		"٨٠":                   `port "٨٠" is not a number`,
		"-":                    `port "-" is not a number`,
		"-1":                   "port -1 is negative",
		"+80":                  "port +80 has a sign",
		"0":                    "port 0 is none to listen on: ports are 1 to 65535",
		"000":                  "port 000 is none to listen on: ports are 1 to 65535",
		"08080":                "port 08080 has a leading zero",
		"65536":                "port 65536 is above 65535",
		"70000":                "port 70000 is above 65535",
		"99999999999999999999": "port 99999999999999999999 is above 65535",
	} {
		got, err := ParsePort(text)
		assert.EqualError(t, err, want)
		assert.Zero(t, got, text)
	}
}

func TestPortErrorStaysOnOneShortLine(t *testing.T) {
	for _, text := range []string{strings.Repeat("9", 1e6), strings.Repeat("é", 1e6), "a\nb\x00"} {
		_, err := ParsePort(text)
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 200)
		assert.NotContains(t, err.Error(), "\n")
		assert.True(t, utf8.ValidString(err.Error()))
	}
}

func TestRangeHoldsItsEnds(t *testing.T) {
	r := Range{7070, 7099}
	assert.Equal(t, "7070–7099", r.String())
	for p, want := range map[Port]bool{7069: false, 7070: true, 7099: true, 7100: false} {
		assert.Equal(t, want, r.Contains(p), p)
	}
	assert.False(t, Range{}.Contains(0))
}

func TestServiceJSON(t *testing.T) {
	m := Map{Services: []Service{
		{Name: "NIPT", Subdomain: "nipt", Domain: "example.se", Port: 8082, Bind: "127.0.0.1", Environment: Production},
		{Name: "Scout", Subdomain: "scout", Socket: "/run/scout.sock"},
	}}
	const want = `{"services":[` +
		`{"name":"NIPT","subdomain":"nipt","domain":"example.se","port":8082,"bind":"127.0.0.1","environment":"production"},` +
		`{"name":"Scout","subdomain":"scout","socket":"/run/scout.sock"}]}`
	got, err := json.Marshal(m)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))

	var back Map
	require.NoError(t, json.Unmarshal(got, &back))
	assert.Equal(t, m, back)
	assert.Error(t, json.Unmarshal([]byte(`{"services":[{"port":70000}]}`), &back))
	assert.Error(t, json.Unmarshal([]byte(`{"services":[{"port":-1}]}`), &back))
}
