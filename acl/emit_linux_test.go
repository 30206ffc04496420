package acl

import (
	"bytes"
	"net/netip"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// runs returns a function that gives a program its input, or skips if the
// program is not there or may not do what the test input asks of it.
func runs(t *testing.T, try string, name string, args ...string) func(input []byte) {
	t.Helper()
	run := func(input []byte) ([]byte, error) {
		c := exec.Command(name, args...)
		c.Stdin = bytes.NewReader(input)
		return c.CombinedOutput()
	}
	if out, err := run([]byte(try)); err != nil {
		t.Skipf("%s: %v %s", name, err, out)
	}
	return func(input []byte) {
		t.Helper()
		out, err := run(input)
		require.NoError(t, err, "%s\n%.2000s", out, input)
	}
}

// emitted are sets from whose text a program might stumble.
func emitted(t *testing.T) map[string]Set {
	sets := map[string]Set{
		"nobody": {}, "everybody": Everybody(), "mixed": mixed(t),
		"apart": rules(t, "deny ::ffff:10.0.0.0/104; deny ::/8;").Denied(),
		"last":  SetOf(netip.MustParsePrefix("255.255.255.255/32"), netip.MustParsePrefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")),
		"first": SetOf(netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("::/128"), netip.MustParsePrefix("::1.2.3.4/128")),
		"large": benchList(2000).Denied(),
	}
	for seed := range uint64(8) {
		sets[string('a'+rune(seed))] = newRand(seed).list(40).Denied()
	}
	return sets
}

func TestNFTReadsWhatIsEmitted(t *testing.T) {
	nft := runs(t, "add table inet acl_test\n", "nft", "-c", "-f", "-")
	for name, set := range emitted(t) {
		t.Run(name, func(t *testing.T) {
			b, err := set.AppendNFTables(nil, NFTables{Table: "acl_test", Name: "shut"})
			require.NoError(t, err)
			nft(b)
			b, err = set.AppendNFTablesUpdate(nil, NFTables{Table: "acl_test", Name: "ip"})
			require.NoError(t, err)
			nft(b)
		})
	}
}

// The sets are made in a network namespace that ends with the program.
func TestIPSetReadsWhatIsEmitted(t *testing.T) {
	restore := runs(t, "create acl_test hash:net family inet6\n", "unshare", "--net", "ipset", "restore")
	for name, set := range emitted(t) {
		t.Run(name, func(t *testing.T) {
			b, err := set.AppendIPSet(nil, "shut")
			require.NoError(t, err)
			restore(b)
		})
	}
}
