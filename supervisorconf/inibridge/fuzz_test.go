package inibridge

import (
	"testing"

	"github.com/onehost-go/onehost/supervisorconf"
	"github.com/stretchr/testify/require"
)

func FuzzBridge(f *testing.F) {
	for _, text := range files(f) {
		f.Add(text, "program:a", "command", "x")
	}
	f.Add([]byte("[a]\nk=v\n"), "DEFAULT", "\u0130", "\n;x")
	f.Add([]byte("[a]\nk=v\nk=w\n[a]\nK=v"), "a", "K", "v")
	f.Add([]byte("k=v\n[a]\n=x\ny\n"), "b", "k", "a;b ;c #d")
	f.Fuzz(func(t *testing.T, src []byte, header, name, value string) {
		file, parseErr := supervisorconf.Parse("f.conf", src)
		as, err := FromFile(file)
		if err != nil {
			return
		}
		require.Equal(t, ofFile(file), ofINI(as))
		before := string(file.Bytes())
		if parseErr == nil {
			require.NoError(t, Apply(file, as))
			require.Equal(t, before, string(file.Bytes()))
		}
		if section, err := as.NewSection(header); err == nil {
			_, _ = section.NewKey(name, value)
		}
		if text, err := AppendText(nil, as); err == nil {
			back, err := supervisorconf.Parse("f.conf", text)
			require.NoError(t, err)
			again, err := FromFile(back)
			require.NoError(t, err)
			list, err := sections(as)
			require.NoError(t, err)
			require.True(t, merge(list).equal(back))
			require.NoError(t, Apply(back, again))
		}
		if err := Apply(file, as); err != nil {
			require.Equal(t, before, string(file.Bytes()), "what fails changes nothing")
			return
		}
		list, err := sections(as)
		require.NoError(t, err)
		read, _ := supervisorconf.Parse("f.conf", file.Bytes())
		require.True(t, merge(list).equal(read))
	})
}
