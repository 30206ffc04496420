package pcre

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzCheck(f *testing.F) {
	for _, s := range typical {
		f.Add(s)
	}
	for i := range uint64(200) {
		f.Add(newGenerator(1, i).pattern())
	}
	f.Fuzz(func(t *testing.T, s string) {
		info, err := Check(s, false)
		Check(s, true)
		if err != nil {
			require.NotEmpty(t, err.Message)
			require.GreaterOrEqual(t, err.Offset, 0)
			require.LessOrEqual(t, err.Offset, len(s))
			require.Contains(t, err.Nginx(s), err.Message)
			return
		}
		require.GreaterOrEqual(t, info.Captures, 0)
		require.LessOrEqual(t, info.Captures, len(s))
		for _, name := range info.Names {
			require.NotEmpty(t, name)
		}
	})
}
