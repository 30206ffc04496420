package procmgr

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func TestCommandsAreSplitAsShlexDoes(t *testing.T) {
	for _, test := range []struct {
		line string
		want []string
	}{
		{`a b  c`, []string{"a", "b", "c"}},
		{`/bin/sh -c 'printf "<%s>" "a b"'`, []string{"/bin/sh", "-c", `printf "<%s>" "a b"`}},
		{`a "" ''`, []string{"a", "", ""}},
		{`a"b"'c'd`, []string{"abcd"}},
		{`"a\"b\\c\d"`, []string{`a"b\c\d`}},
		{`'a\b'`, []string{`a\b`}},
		{`a\ b \"`, []string{"a b", `"`}},
		{"a\\\nb", []string{"a\nb"}}, // no continuation of lines
		{`a #b`, []string{"a", "#b"}},
		{" \t\r\n", nil},
		{`$HOME * ~`, []string{"$HOME", "*", "~"}},
	} {
		got, err := splitWords(test.line)
		require.NoError(t, err, test.line)
		assert.Equal(t, test.want, got, test.line)
	}
	_, err := splitWords(`a 'b`)
	assert.EqualError(t, err, "No closing quotation")
	_, err = splitWords(`a \`)
	assert.EqualError(t, err, "No escaped character")
}

func TestMessagesQuoteAsPythonDoes(t *testing.T) {
	for s, want := range map[string]string{
		`a`:        `'a'`,
		`it's`:     `"it's"`,
		`"it's"`:   `'"it\'s"'`,
		"a\tb\n\\": `'a\tb\n\\'`,
		"\x1b\x7f": `'\x1b\x7f'`,
		"é€":       `'é€'`,
		"\u200b":   `'\u200b'`,
		"a\xffb":   `'a\udcffb'`,
	} {
		assert.Equal(t, want, pyRepr(s))
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`a "b c" 'd' \e`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err != nil {
			return
		}
		// Quoted, the words come back.
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'"'"'`)+"'")
		}
		again, err := splitWords(strings.Join(quoted, " "))
		require.NoError(t, err)
		require.Equal(t, words, again)
	})
}

// TestOracleSplitWords asks the Python of the installed supervisord.
func TestOracleSplitWords(t *testing.T) {
	python := testenv.Python(t)
	rnd, n := oracleCases(t, 300)
	lines := make([]string, n)
	for i := range lines {
		var b strings.Builder
		for range rnd.IntN(12) {
			b.WriteByte(`ab '"\ #$`[rnd.IntN(9)])
		}
		lines[i] = b.String() + []string{"", "\n", "\t", "é", "'\"'"}[rnd.IntN(5)]
	}
	in, err := json.Marshal(lines)
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", `
import json, shlex, sys
def split(s):
    try:
        return [shlex.split(s), ""]
    except ValueError as e:
        return [[], str(e)]
json.dump([split(s) + [repr(s)] for s in json.load(sys.stdin)], sys.stdout)`)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	require.NoError(t, err)
	var want [][3]any
	require.NoError(t, json.Unmarshal(out, &want))
	for i, line := range lines {
		words, err := splitWords(line)
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		require.Equal(t, want[i][1], problem, "%q", line)
		if problem == "" {
			got := []any{}
			for _, w := range words {
				got = append(got, w)
			}
			require.Equal(t, want[i][0], got, "%q", line)
		}
		require.Equal(t, want[i][2], pyRepr(line), "%q", line)
	}
}

// oracleCases returns what to make cases of, and how many.
func oracleCases(t *testing.T, def int) (*rand.Rand, int) {
	seed, n := testenv.Size(t, def)
	return rand.New(rand.NewPCG(seed, 0)), n
}
