package house

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// files returns the names, below root and with slashes, of the files that are
// or would be committed. It walks the tree even though git knows the names:
// go test repeats a cached result until something it saw opened has changed.
func files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" { // a directory, or a file in a linked worktree
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	require.NoError(t, err)

	// Without git, or outside a checkout, everything counts.
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err == nil && len(out) > 0 {
		known := make(map[string]bool)
		for name := range strings.SplitSeq(string(out), "\x00") {
			known[name] = true
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !known[name] })
	}
	require.NotEmpty(t, names)
	return names
}

// strays returns the top-level entries that DESIGN.md ("The house") does not
// name, given the names of all files.
func strays(names []string) []string {
	house := strings.Fields(`nginxconf supervisorconf portmap acl procmgr examples internal
		go.mod go.sum README.md LICENSE CONTRIBUTING.md`)
	var found []string
	for _, name := range names {
		top, _, _ := strings.Cut(name, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(house, top) {
			found = append(found, top)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestStrays(t *testing.T) {
	assert.Empty(t, strays([]string{".ci/run", ".gitignore", "LICENSE", "README.md", "acl/doc.go", "internal/house/doc.go"}))
	assert.Equal(t, []string{"pkg", "util.go"}, strays([]string{"util.go", "pkg/a/a.go", "pkg/b.go", "acl/doc.go"}))
}

func TestTopLevelHoldsOnlyTheHouse(t *testing.T) {
	assert.Empty(t, strays(files(t)), "the design does not name these at the top level")
}

func TestThreeDirectRequirements(t *testing.T) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal(out, &mod))
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	assert.ElementsMatch(t, modules, direct, "a further one needs a reason, and its place in this list")
}

// sleeping returns the lines on which a Go source calls time.Sleep, comments
// included: a test waits for the event, not for the clock.
func sleeping(src []byte) []int {
	call := []byte("time." + "Sleep(") // in two pieces, or this file would report itself
	var lines []int
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if bytes.Contains(line, call) {
			lines = append(lines, n)
		}
	}
	return lines
}

func TestSleeping(t *testing.T) {
	call := "time." + "Sleep(1)"
	assert.Equal(t, []int{2, 4}, sleeping([]byte("package a\n\t"+call+"\n\n//"+call)))
	assert.Empty(t, sleeping([]byte("package a\nvar Sleep = time.NewTimer\n")))
}

func TestNothingSleeps(t *testing.T) {
	for _, name := range files(t) {
		if strings.HasSuffix(name, ".go") {
			src, err := os.ReadFile(filepath.Join(root, name))
			require.NoError(t, err)
			assert.Empty(t, sleeping(src), "%s sleeps on these lines", name)
		}
	}
}

// A path below the checkout, or below its neighbour shared, is there on one
// machine only.
func TestNoPathOfThisMachine(t *testing.T) {
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	if strings.Count(filepath.ToSlash(here), "/") < 2 {
		t.Skipf("%s is too short a path to look for: it may stand in test data by chance", here)
	}
	for _, name := range files(t) {
		src, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		for _, dir := range []string{here, filepath.Join(filepath.Dir(here), "shared")} {
			assert.False(t, bytes.Contains(src, []byte(dir+"/")), "%s names %s", name, dir)
		}
	}
}
