package portmap

import (
	"encoding/json"
	"errors"
	"go/token"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The JSON form is shared by the packages of this module, which share no type:
// each pins it.
func TestDiagnosticJSON(t *testing.T) {
	start := token.Position{Filename: "services.md", Offset: 7, Line: 2, Column: 3}
	end := token.Position{Filename: "services.md", Offset: 11, Line: 2, Column: 7}
	d := &Diagnostic{
		Start: start, End: end, Level: slog.LevelWarn, Code: "stage-offset-broken", Message: "a < b",
		Fixes: []Fix{{Message: "set the port", Edits: []Edit{{start, end, "7072"}}}},
	}
	got, err := json.Marshal(d)
	require.NoError(t, err)
	const place = `"start":{"file":"services.md","offset":7,"line":2,"column":3},"end":{"file":"services.md","offset":11,"line":2,"column":7}`
	assert.JSONEq(t, `{`+place+`,"level":"WARN","code":"stage-offset-broken","message":"a < b",`+
		`"fixes":[{"message":"set the port","edits":[{`+place+`,"new_text":"7072"}]}]}`, string(got))

	got, err = (&Diagnostic{}).MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"start":{"file":"","offset":0,"line":0,"column":0},"end":{"file":"","offset":0,"line":0,"column":0},`+
		`"level":"INFO","code":"","message":"","fixes":[]}`, string(got))
}

func TestDiagnosticsAreErrorsOnlyIfOneIs(t *testing.T) {
	at := token.Position{Filename: "a.md", Line: 1, Column: 2}
	warning := &Diagnostic{Start: at, Level: slog.LevelWarn, Code: "w", Message: "odd"}
	failure := &Diagnostic{Start: at, Level: slog.LevelError, Message: "wrong"}
	assert.NoError(t, Diagnostics{warning}.Err())
	assert.NoError(t, Diagnostics(nil).Err())

	ds := Diagnostics{warning, failure}
	ds.Sort()
	assert.Equal(t, Diagnostics{failure, warning}, ds, "the gravest first, in one place")
	assert.EqualError(t, ds.Err(), "a.md:1:2: wrong\na.md:1:2: odd [w]")
	var d *Diagnostic
	require.ErrorAs(t, ds.Err(), &d)
	assert.Same(t, failure, d)
	assert.True(t, errors.Is(ds.Err(), warning))
	assert.Equal(t, at, d.Position())
	assert.Equal(t, "wrong", (&Diagnostic{Message: "wrong"}).Error())
}
