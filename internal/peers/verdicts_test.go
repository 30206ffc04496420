package peers

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// A verdict is a configuration and whether nginx 1.22.1 of Debian took it.
type verdict struct {
	Config, Class string
	Config64      string `json:"config_b64"`
	OK            bool   `json:"nginx_ok"`
}

// verdicts are the mutants of the shared corpus that are one file each, or
// those that ORACLE_VERDICTS names.
func verdicts(t *testing.T) (vs []verdict) {
	name := os.Getenv("ORACLE_VERDICTS")
	if name == "" {
		name = filepath.Join("..", "..", "..", "shared", "corpus", "nginx", "mutants.jsonl")
	}
	file, err := os.Open(name)
	if err != nil {
		t.Skip("the shared corpus is not here")
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var v verdict
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		if v.Config64 != "" {
			b, err := base64.StdEncoding.DecodeString(v.Config64)
			require.NoError(t, err)
			v.Config = string(b)
		}
		if !strings.HasPrefix(v.Class, "env:") && !includes(v.Config) {
			vs = append(vs, v)
		}
	}
	require.NoError(t, lines.Err())
	return vs
}

func includes(conf string) bool {
	f, _ := nginxconf.Parse("nginx.conf", []byte(conf))
	for d := range f.All() {
		if d.Name() == "include" {
			return true
		}
	}
	return false
}

// TestVerdictsBesideCrossplane counts how often each agrees with nginx, by the
// class of its refusal. Ours is right more often in every class.
func TestVerdictsBesideCrossplane(t *testing.T) {
	ours := func(conf string) bool {
		f, _ := nginxconf.Parse("nginx.conf", []byte(conf))
		c := f.Config()
		c.Fragment = false
		return validate.Config(c, &validate.Options{Version: "1.22.1-9+deb12u11"}).Err() == nil
	}
	strict := func(conf string) bool { return strictCrossplane([]byte(conf)) == nil }
	type count struct{ all, ours, strict int }
	classes := map[string]count{}
	for _, v := range verdicts(t) {
		for _, class := range []string{v.Class, "all"} {
			n := classes[class]
			n.all++
			if ours(v.Config) == v.OK {
				n.ours++
			}
			if strict(v.Config) == v.OK {
				n.strict++
			}
			classes[class] = n
		}
	}
	t.Log("class        configurations  nginxconf/validate  crossplane, strict")
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		n := classes[class]
		t.Log(fmt.Sprintf("%-12s %14d %17.1f %% %17.1f %%", class, n.all, 100*float64(n.ours)/float64(n.all), 100*float64(n.strict)/float64(n.all)))
		require.GreaterOrEqual(t, n.ours, n.strict, class)
	}
}
