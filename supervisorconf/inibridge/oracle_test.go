package inibridge

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/supervisorconf"
	"github.com/stretchr/testify/require"
)

// TestOracleMemoryIsExact compares what an *ini.File says with what Supervisor's
// own parser reads: in the files of testdata and the real ones, and in
// ORACLE_CASES generated files.
func TestOracleMemoryIsExact(t *testing.T) {
	dir := testenv.Shared(t, "oracle", "supervisor")
	python := testenv.Python(t)
	run := func(in []byte, args ...string) []byte {
		cmd := exec.Command(python, args...)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		require.NoError(t, err)
		return out
	}

	type question struct {
		Name  string            `json:"name"`
		Files map[string]string `json:"files"`
		B64   map[string]string `json:"b64,omitempty"`
		Main  string            `json:"main,omitempty"`
	}
	var questions []question
	all := files(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		questions = append(questions, question{Name: name, Files: map[string]string{}, B64: map[string]string{
			"supervisord.conf": base64.StdEncoding.EncodeToString(all[name]),
		}})
	}
	seed, n := testenv.Size(t, 200)
	for line := range bytes.Lines(run(nil, filepath.Join(dir, "supervisor_cases.py"), strconv.Itoa(n), "--seed", strconv.FormatUint(seed, 10))) {
		var q question
		require.NoError(t, json.Unmarshal(line, &q))
		questions = append(questions, q)
	}
	var in []byte
	for _, q := range questions {
		line, err := json.Marshal(q)
		require.NoError(t, err)
		in = append(append(in, line...), '\n')
	}
	answers := slices.Collect(bytes.Lines(run(in, filepath.Join(dir, "supervisor_oracle.py"), "--jsonl", "--raw-only")))
	require.Len(t, answers, len(questions))

	read := 0
	for i, q := range questions {
		var answer struct {
			OK                 bool
			Defaults, Sections [][]any
		}
		require.NoError(t, json.Unmarshal(answers[i], &answer))
		name := cmp.Or(q.Main, "supervisord.conf")
		src := []byte(q.Files[name])
		if text, ok := q.B64[name]; ok {
			decoded, err := base64.StdEncoding.DecodeString(text)
			require.NoError(t, err)
			src = decoded
		}
		f, err := supervisorconf.Parse(name, src)
		require.Equal(t, answer.OK, err == nil, "%s: %q", q.Name, src)
		if !answer.OK {
			continue
		}
		want := answer.Sections
		if len(answer.Defaults) > 0 {
			var defaults []any
			for _, kv := range answer.Defaults {
				defaults = append(defaults, kv)
			}
			want = slices.Insert(want, 0, []any{"DEFAULT", defaults})
		}
		file, err := FromFile(f)
		require.NoError(t, err)
		got := [][]any{}
		for _, s := range ofINI(file) {
			got = append(got, []any{s.Header, s.Options})
		}
		wantText, err := json.Marshal(want)
		require.NoError(t, err)
		gotText, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, string(wantText), string(gotText), "%s: %q", q.Name, src)
		read++
	}
	require.NotZero(t, read, strconv.Itoa(len(questions)))
}
