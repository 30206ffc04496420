package supervisorconf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApplyRefusesEditsThatOverlap(t *testing.T) {
	text := "[a]\nk=v\n"
	k := parse(t, text).Section("a", "").Get("k")
	name := k.Pos().Filename
	one := Edit{Start: k.ValuePos(), End: k.End(), NewText: "x"}
	got, err := Apply([]byte(text), []Edit{one, one})
	require.NoError(t, err)
	require.Equal(t, "[a]\nk=x\n", string(got))
	_, err = Apply([]byte(text), []Edit{one, {Start: k.Pos(), End: k.End()}})
	require.EqualError(t, err, "supervisorconf: "+name+":2:3: the edit overlaps with another, or ends before it starts")
	_, err = Apply([]byte("k=v"), []Edit{one})
	require.EqualError(t, err, "supervisorconf: "+name+":2:3: there is no such place to edit", "the text has changed")
}

func FuzzEdits(f *testing.F) {
	f.Add("[a]\nb=1\nc=2\n", "[a]\nx=1\nc=2\n")
	f.Add("a\nb\na\r\nb\n", "b\na\nb\ra")
	f.Add("", "a\n")
	f.Add("a", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		edits := Edits("x", []byte(before), []byte(after))
		got, err := Apply([]byte(before), edits)
		require.NoError(t, err)
		require.Equal(t, after, string(got))
		if before == after {
			require.Empty(t, edits)
			require.Nil(t, unified("x", []byte(before), []byte(after)))
		}
	})
}
