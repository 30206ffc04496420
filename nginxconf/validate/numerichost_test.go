package validate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumericHostsNeedNoLookUp(t *testing.T) {
	for _, host := range []string{"127.1", "1", "0", "255.255.255.255", "0x7f.1", "010.0.0.1", "4294967295", "1.16777215"} {
		require.True(t, isNumericHost(host), host)
	}
	for _, host := range []string{"", ".", "a", "1.", ".1", "256.1", "1.2.3.256", "1.2.3.4.5", "4294967296", "08", "0x", "1x", "1 ", "+1", "1_0"} {
		require.False(t, isNumericHost(host), host)
	}
}
