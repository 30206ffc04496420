package procmgr

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	python := oraclePython(t)
	rnd := oracleRand(t)
	lines := make([]string, oracleCases(t, 300))
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

// oraclePython returns the interpreter that the installed supervisord names in
// its first line.
func oraclePython(t *testing.T) string {
	file, err := exec.LookPath("supervisord")
	if err != nil {
		oracleMissing(t, "supervisord is not installed")
	}
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(src), "\n")
	python, ok := strings.CutPrefix(line, "#!")
	if !ok || !strings.Contains(python, "python") || len(strings.Fields(python)) != 1 {
		oracleMissing(t, "no Python interpreter is named in "+file)
	}
	return strings.TrimSpace(python)
}

// oracleMissing skips the test, unless the upstream is required.
func oracleMissing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_UPSTREAM") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func oracleCases(t *testing.T, def int) int {
	if s := os.Getenv("ORACLE_CASES"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "ORACLE_CASES")
		return n
	}
	return def
}

func oracleRand(t *testing.T) *rand.Rand {
	seed := uint64(1)
	if s := os.Getenv("ORACLE_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err, "ORACLE_SEED")
	}
	t.Logf("ORACLE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
