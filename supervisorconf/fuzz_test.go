package supervisorconf

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// seeds are the forms that Supervisor reads in an odd way.
var seeds = []string{
	"",
	"[supervisord]\n[program:web]\ncommand=x\n",
	"[program:a]\r\ncommand = x ; c\r\n  y ; d\r\n\r\n  z\r\n",
	"[program:a]\rcommand=x\r\ty\r",
	"\ufeff[supervisord]\n",
	"a=1\n[x]\n",
	"[a]\nk=v\n  [b]\nx\n  y\n=z\n  w=1\n",
	"[a]\n  k=v\n j=w\n[b] junk ; c\n",
	"[a]\nk=a;b ;c #d\n[program:a]b]\n[]\n[open\n",
	"[a]\nk=\n  x\n; c\n\n  y\n",
	"[a]\nk=v\n[b]\n   [c]\n",
	"[a]\nk=caf\xe9\n",
	"[a]\nk\u00a0=\u00a0x\u00a0#y\n\x1cz\n",
	"[DEFAULT]\nx=1\n[a]\nk:v\nK=w",
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("f.conf", src)
		require.Equal(t, string(src), string(file.Bytes()), "printing gives back what was read")
		require.False(t, file.Changed())
		require.Equal(t, err == nil, utf8.Valid(src) && !file.faults.any())
		for s := range file.Sections() {
			require.Equal(t, s.raw, string(src[s.Pos().Offset:s.End().Offset]))
			for o := range s.Options() {
				require.Equal(t, o.key, string(src[o.Pos().Offset:o.Pos().Offset+len(o.key)]))
				require.Equal(t, o.raw, string(src[o.ValuePos().Offset:o.End().Offset]))
				_ = o.Value()
			}
		}
		for c := range file.Comments() {
			require.Equal(t, c.Text, string(src[c.Start.Offset:c.End.Offset]))
		}
	})
}

// values is all that a file says: the value in force of each option.
func values(f *File) map[string]map[string]string {
	all := map[string]map[string]string{}
	for s := range f.Sections() {
		if all[s.Header()] == nil {
			all[s.Header()] = map[string]string{}
		}
		for o := range s.Options() {
			all[s.Header()][o.Name()] = o.Value()
		}
	}
	return all
}

func FuzzSet(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), uint8(i), uint8(i/2), "user", "www-data")
		f.Add([]byte(s), uint8(i), uint8(0), "k", "a;b\n\n#c"[:i%7])
	}
	f.Add([]byte("[a]\nk=v ;c #d\n"), uint8(0), uint8(0), "k", "a;b")
	f.Fuzz(func(t *testing.T, src []byte, section, option uint8, key, value string) {
		file, _ := Parse("f.conf", src)
		var s *Section
		for i, list := 0, file.sections; i < len(list) && i <= int(section); i++ {
			s = list[i]
		}
		if s == nil {
			var err error
			s, err = file.AddSection("program", "web")
			require.NoError(t, err)
		}
		want := values(file)
		if n := len(s.options); n > 0 && option%2 == 1 {
			key = s.options[int(option)%n].key
		}
		o := s.Set(key, value)
		if o == nil {
			require.Equal(t, want, values(file), "a refused edit changes nothing")
			if utf8.Valid(src) {
				require.Error(t, CheckOption(key, value))
			}
			return
		}
		require.NoError(t, CheckOption(key, value))
		want[s.Header()][lower(key)] = value
		require.Equal(t, want, values(file))
		again, err := Parse("f.conf", file.Bytes())
		if file.faults.any() {
			// Behind a line that supervisord refuses, what follows may be read
			// in another way when an option is open above.
			require.Equal(t, value, values(again)[s.Header()][lower(key)])
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, values(again), "what is printed says the same")
	})
}

func FuzzRemove(f *testing.F) {
	for i, s := range seeds {
		f.Add([]byte(s), uint8(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, src []byte, section, option uint8) {
		file, err := Parse("f.conf", src)
		if err != nil || len(file.sections) == 0 {
			return
		}
		s := file.sections[int(section)%len(file.sections)]
		if option == 0 || len(s.options) == 0 {
			s.Remove()
		} else {
			s.options[int(option)%len(s.options)].Remove()
		}
		want := values(file)
		again, err := Parse("f.conf", file.Bytes())
		require.NoError(t, err)
		require.Equal(t, want, values(again))
	})
}

func FuzzLoad(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(""))
	}
	for _, s := range upstreamCases {
		mainText, rest, _ := strings.Cut(s, "\f")
		f.Add([]byte("[supervisord]\n"+mainText), []byte(rest))
	}
	f.Add([]byte("[supervisord]\n[include]\nfiles=*.conf i.conf [!a].conf\n"), []byte("[program:a]\ncommand=%(here)s\n"))
	f.Fuzz(func(t *testing.T, mainText, included []byte) {
		fsys := host(main, string(mainText), "etc/i.conf", string(included))
		for _, version := range []string{"4.2.5", ""} {
			c, err := Load(fsys, main, &LoadOptions{Version: version, Environ: []string{"A=1", "HOME=/tmp"}})
			require.NotNil(t, c)
			require.Equal(t, err == nil, c.Refusal() == "", "the error says whether supervisord refuses")
			require.Equal(t, err == nil, c.Diagnostics().Err() == nil)
			for _, d := range c.Diagnostics() {
				require.Contains(t, []string{main, "etc/i.conf", ""}, d.Start.Filename)
				require.NotContains(t, d.Message, "\n")
			}
			for file := range c.Files() {
				require.False(t, file.Changed())
			}
			_, err = json.Marshal(c.Resolved())
			require.NoError(t, err)
			_, err = json.Marshal(c)
			require.NoError(t, err)
			for _, p := range c.Processes() {
				_, _ = p.Args()
			}
		}
	})
}
