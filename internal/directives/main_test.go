package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTableIsUpToDate(t *testing.T) {
	want, err := generate(nginxList, modulesList)
	require.NoError(t, err)
	got, err := os.ReadFile("../../nginxconf/directive/zdirectives.go")
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "run go generate ./nginxconf/directive")
}

func TestListsAreChecked(t *testing.T) {
	const head = "releases 1.18.0\nmodule m\n"
	for _, tt := range []struct{ list, want string }{
		{"module m", "no releases"},
		{"releases 1.18.0\nlisten http 1 custom", "list 1, line 2: listen belongs to no module"},
		{head + "module m", "list 1, line 3: module m comes twice"},
		{head + "listen http 1", "list 1, line 3: listen: a directive has contexts, arguments and a type"},
		{head + "listen http/nowhere 1 custom", `list 1, line 3: unknown context "http/nowhere"`},
		{head + "listen http 9 custom", `list 1, line 3: unknown number of arguments "9"`},
		{head + "listen http 1 odd", `list 1, line 3: unknown type "odd"`},
		{head + "listen http 1 custom twice", `list 1, line 3: listen: unknown attribute "twice"`},
		{head + "listen http 1 custom since=1.2", `list 1, line 3: listen: version "1.2" is not three numbers`},
		{head + "$a http once", `list 1, line 3: $a: unknown attribute "once"`},
	} {
		_, err := generate(tt.list)
		assert.EqualError(t, err, tt.want)
	}
}
