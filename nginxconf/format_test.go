package nginxconf

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzFormat(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s))
	}
	f.Add([]byte(site))
	f.Add([]byte("#" + strings.Repeat("c", 4095)))
	f.Add([]byte("a; #" + strings.Repeat("c", 4095)))
	f.Add([]byte("a " + strings.Repeat("w", 4095) + ";\n#" + strings.Repeat("c", 4094) + "\n"))
	f.Add([]byte("a " + strings.Repeat("w", 4095) + "{}"))
	f.Add([]byte(`if ("` + strings.Repeat("q", 4094) + `"){}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("", src)
		once, formatErr := Format(src)
		require.Equal(t, err, formatErr)
		if err != nil {
			return
		}
		again, err := Parse("", once)
		require.NoError(t, err, "%q", once)
		require.Equal(t, tokens(&file.Body), tokens(&again.Body), "%q", once)
		twice, err := Format(once)
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))
	})
}

func TestFormatLaysOutCanonically(t *testing.T) {
	const messy = `

# main
user  www-data ;  worker_processes 4;   # many
events{}


http { include mime.types; # types
  default_type   text/plain;    # plain


  log_format main '$remote_addr'
       '$status' # code
       # and more
       '$x';
server{listen 80;location / {return 200 "a
  b";}
	# last
	}
}
`
	const tidy = `# main
user www-data;
worker_processes 4; # many
events { }

http {
    include mime.types; # types
    default_type text/plain; # plain

    log_format main '$remote_addr'
        '$status' # code
        # and more
        '$x';
    server {
        listen 80;
        location / {
            return 200 "a
  b";
        }
        # last
    }
}
`
	got, err := Format([]byte(messy))
	require.NoError(t, err)
	require.Equal(t, tidy, string(got))
}

func TestFormatKeepsCommentsBelowEachOther(t *testing.T) {
	got, err := Format([]byte("a;       # one\nbcd e;   # two\nf; # three\n\ng;   # four\r\n"))
	require.NoError(t, err)
	require.Equal(t, "a;     # one\nbcd e; # two\nf; # three\n\ng; # four\n", string(got))
}

func TestFormatGrowsWithItsInput(t *testing.T) {
	out, err := Format([]byte(strings.Repeat("a{", 12_000) + strings.Repeat("}", 12_000)))
	require.NoError(t, err)
	require.Less(t, len(out), 10_000_000)
}

func TestFormatRefusesSyntaxErrors(t *testing.T) {
	_, err := Format([]byte("a {\n"))
	require.EqualError(t, err, `2:1: unexpected end of file, expecting "}" [unexpected-end]`)
}
