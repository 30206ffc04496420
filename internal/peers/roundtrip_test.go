package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// houseText is a file as people write it: tabs, aligned values, comments at
// the ends of lines, blocks on one line, quotes where they like them.
const houseText = `# Written by hand. Keep the order of the rules!
events { worker_connections 768; }

http {
	include       mime.types;
	default_type  application/octet-stream;

	# who may pass
	map $http_upgrade $connection_upgrade {
		default  upgrade;
		''       close;
	}

	upstream scout { server 127.0.0.1:8083 weight=2; server 127.0.0.1:8084 backup; keepalive 8; }


	server {
		listen 80 default_server;	listen [::]:80 default_server;
		server_name "scout.example.se" 'scout-stage.example.se';
		if ($host = scout-stage.example.se) { return 301 https://$host$request_uri; }

		location ~ "\.(?:css|js)$" { expires 1d; access_log off; }
		location / {
			allow  10.0.0.0/8;      # the house
			allow  192.0.2.0/24;    # the clinic
			deny   all;

			proxy_set_header  Host             $host;
			proxy_set_header  X-Real-IP        $remote_addr;
			proxy_set_header  X-Forwarded-For  $proxy_add_x_forwarded_for;
			proxy_pass        http://scout;
		}
	}
}
`

// texts returns configurations that nginx takes, by name: our own, and the
// corpus of real ones where it lies beside the checkout.
func texts(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{
		"house.conf": []byte(houseText),
		"crlf.conf":  bytes.ReplaceAll([]byte(houseText), []byte("\n"), []byte("\r\n")),
		"scout.conf": appendSite(nil, 3), // a file in conf.d
	}
	corpus, err := os.Open(filepath.Join("..", "..", "..", "shared", "corpus", "nginx", "configs.jsonl"))
	if err != nil {
		t.Log("without the corpus of real configurations: it does not lie beside the checkout")
		return all
	}
	defer corpus.Close()
	lines := bufio.NewScanner(corpus)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c struct {
			Name, Config string
			OK           bool `json:"nginx_ok"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		if c.OK {
			all[c.Name] = []byte(c.Config)
		}
	}
	require.NoError(t, lines.Err())
	return all
}

// A toll is what passing texts through a library costs them.
type toll struct {
	texts, identical, failed int
	lines, changed, words    int // words: lines changed in more than their blanks
}

func (s *toll) add(src, out []byte, err error) {
	s.texts++
	if err != nil {
		s.failed++
		return
	}
	if bytes.Equal(src, out) {
		s.identical++
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	}
	s.lines += len(lines)
	s.changed += missing(lines, bytes.SplitAfter(out, []byte("\n")))
	s.words += missing(bare(src), bare(out))
}

// bare returns the lines that are not blank, with one blank between words.
func bare(text []byte) [][]byte {
	var lines [][]byte
	for line := range bytes.Lines(text) {
		if w := bytes.Fields(line); len(w) > 0 {
			lines = append(lines, bytes.Join(w, []byte(" ")))
		}
	}
	return lines
}

func (s toll) String() string {
	return fmt.Sprintf("%d texts: %d identical, %d failed; %d of %d lines changed (%.1f %%), %d in more than blanks",
		s.texts, s.identical, s.failed, s.changed, s.lines, 100*float64(s.changed)/float64(max(1, s.lines)), s.words)
}

// missing returns how many lines of a are not in the longest common
// subsequence of a and b: what a diff shows as removed.
func missing(a, b [][]byte) int {
	for len(a) > 0 && len(b) > 0 && bytes.Equal(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && bytes.Equal(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	common := make([]int, len(b)+1) // common[j]: of a so far and b[:j]
	for i := range a {
		corner := 0
		for j := range b {
			above := common[j+1]
			if bytes.Equal(a[i], b[j]) {
				common[j+1] = corner + 1
			} else {
				common[j+1] = max(above, common[j])
			}
			corner = above
		}
	}
	return len(a) - common[len(b)]
}

func TestMissingLines(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a b c", "a b c", 0},
		{"a b c", "a x c", 1},
		{"a b c", "a x b c", 0},
		{"a b c d", "c d a b", 2},
		{"a", "b", 1},
		{"a b", "", 2},
	} {
		got := missing(bytes.Fields([]byte(tt.a)), bytes.Fields([]byte(tt.b)))
		assert.Equal(t, tt.want, got, "%q %q", tt.a, tt.b)
	}
	assert.Equal(t, [][]byte{[]byte("a b;"), []byte("}")}, bare([]byte("\ta  b;\r\n\n}")))
}

// passAll passes texts through a library, unedited or with one edit each.
func passAll(r nginxReader, texts map[string][]byte, edit *edit) toll {
	var s toll
	for _, src := range texts {
		if edit != nil && !edit.applies(src) {
			continue
		}
		out, err := pass(r, src, edit)
		s.add(src, out, err)
	}
	return s
}

// pass takes a panic of the library for an error.
func pass(r nginxReader, src []byte, edit *edit) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.rewrite(src, edit)
}

func TestOnlyWeReturnTextsUnchanged(t *testing.T) {
	all := texts(t)
	for _, r := range nginxReaders {
		got := passAll(r, all, nil)
		t.Logf("%-10s %v", r.name, got)
		if r.name == ours {
			assert.Equal(t, len(all), got.identical)
		} else {
			assert.LessOrEqual(t, got.identical, len(all)/20)
		}
	}
}

// One edit each: of ours, one line changes.
func TestAnEditOfOursChangesOneLine(t *testing.T) {
	all := texts(t)
	for _, name := range []string{"proxy_pass", "server_name", "listen"} {
		e := &edit{name: name, value: "192.0.2.9:9009"}
		for _, r := range nginxReaders {
			got := passAll(r, all, e)
			t.Logf("%-11s %-10s %v", name, r.name, got)
			if r.name == ours {
				assert.Zero(t, got.failed)
				assert.Equal(t, got.texts, got.changed)
			} else {
				assert.Greater(t, got.changed, 5*got.texts)
			}
		}
	}
}

// Of the users' own file, which is laid out as both peers print it, they still
// lose blank lines and move comments. Of one that somebody wrote by hand, they
// leave little.
func TestLinesThatOneEditChanges(t *testing.T) {
	e := &edit{name: "proxy_pass", value: "http://127.0.0.1:9009"}
	got := map[string]map[string]string{}
	for name, src := range map[string][]byte{"scout.conf": appendSite(nil, 3), "house.conf": []byte(houseText)} {
		got[name] = map[string]string{}
		for _, r := range nginxReaders {
			out, err := pass(r, src, e)
			require.NoError(t, err)
			var s toll
			s.add(src, out, nil)
			got[name][r.name] = fmt.Sprintf("%d of %d", s.changed, s.lines)
		}
	}
	assert.Equal(t, map[string]map[string]string{
		"scout.conf": {ours: "1 of 26", "crossplane": "7 of 26", "gonginx": "9 of 26"},
		"house.conf": {ours: "1 of 34", "crossplane": "32 of 34", "gonginx": "32 of 34"},
	}, got)
}
