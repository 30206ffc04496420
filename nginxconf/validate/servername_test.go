package validate

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Eight bytes at a time find what one at a time does, wherever it stands.
func TestBytesOfNames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	const letters = "abcz019-.-_AZ/*\x00\x80\xaf\xff@[`{+)"
	for range 100_000 {
		name := make([]byte, r.IntN(30))
		want := nameBytes(0)
		for i := range name {
			name[i] = letters[r.IntN(11)]
			if r.IntN(20) == 0 {
				name[i] = letters[r.IntN(len(letters))]
			}
			want |= nameByte[name[i]]
		}
		require.Equal(t, want, bytesOf(string(name)), "%q", name)
	}
}
