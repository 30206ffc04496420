package portmap

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parse reads a table that must have nothing wrong with it.
func parse(t *testing.T, src string) *Document {
	t.Helper()
	d, err := ParseMarkdown("s.md", []byte(src))
	require.NoError(t, err)
	require.Equal(t, src, string(d.Bytes()))
	return d
}

// short is a service in few words.
func short(s Service) string {
	f := []string{s.Name, s.Subdomain, s.Port.String()}
	for _, v := range []string{s.Domain, s.Bind, s.Socket, s.Environment} {
		if v != "" {
			f = append(f, v)
		}
	}
	return strings.Join(f, " | ")
}

func shorts(d *Document) (s []string) {
	for _, service := range d.Map().Services {
		s = append(s, short(service))
	}
	return s
}

func TestUsersTableIsRead(t *testing.T) {
	d := users(t)
	src, err := os.ReadFile("testdata/services.md")
	require.NoError(t, err)
	assert.Equal(t, src, d.Bytes())
	assert.Equal(t, "services.md", d.Name())
	assert.Equal(t, []string{
		"cgweb | clinical | 8080 | production",
		"cg (REST) | clinical-api | 8081 | production",
		"NIPT | nipt | 8082 | production",
		"Scout | scout | 8083 | production",
		"Scout (Archive) | scout-archive | 8084 | production",
		"Trailblazer | trailblazer | 8085 | production",
		"Trailblazer (REST) | trailblazer-api | 8086 | production",
		"Genotype | genotype | 8087 | production",
		"Microbial | microbial | 8088 | production",
		"cgweb | clinical-stage | 7070 | stage",
		"cg (REST) | clinical-api-stage | 7071 | stage",
		"NIPT | nipt-stage | 7073 | stage",
		"scout | scout-stage | 7073 | stage",
		"Trailblazer | trailblazer-stage | 7075 | stage",
		"Trailblazer (REST) | trailblazer-api-stage | 7076 | stage",
	}, shorts(d))
	s := d.Map().Services[11]
	assert.Equal(t, "services.md:23:48", s.Place.Port.Start.String())
	assert.Equal(t, "services.md:23:52", s.Place.Port.End.String())
	assert.Equal(t, "services.md:23:1", s.Place.Row.Start.String())
	assert.Equal(t, "services.md:23:24", s.Place.Subdomain.Start.String())
	assert.Equal(t, "7073", string(src[s.Place.Port.Start.Offset:s.Place.Port.End.Offset]))
	assert.False(t, s.Place.Domain.IsValid())
}

func TestAMapIsTheCallersOwn(t *testing.T) {
	d := users(t)
	d.Map().Services[0].Port = 1
	assert.Equal(t, Port(8080), d.Map().Services[0].Port)
}

func TestTablesAreReadAsMeantAndKeptAsWritten(t *testing.T) {
	for _, c := range []struct {
		what, src string
		want      []string
	}{
		{"Windows line ends", "|service|subdomain|port|\r\n|-|-|-|\r\n|a|b|80|\r\n|c|d|81|\r\n", []string{"a | b | 80", "c | d | 81"}},
		{"a byte order mark", "\ufeff|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n", []string{"a | b | 80"}},
		{"no final line end", "|service|subdomain|port|\n|-|-|-|\n|a|b|80|", []string{"a | b | 80"}},
		{"no final line end, on Windows, with a mark", "\ufeff|service|subdomain|port|\r\n|-|-|-|\r\n|a|b|80|", []string{"a | b | 80"}},
		{"escaped pipes", `|service|subdomain|port|` + "\n|-|-|-|\n" + `|a \| b|c|80|` + "\n" + `|\||d|81|` + "\n" + "|`x\\|y`|e|82|\n", []string{"a | b | c | 80", "| | d | 81", "x|y | e | 82"}},
		{"markup", "|service|subdomain|port|\n|-|-|-|\n|**Scout**|`scout`|**80**|\n|[NIPT](https://nipt.example.se/)|[`nipt`](x)|`81`|\n|_a_ *b*|[c](<d e>)|[82](y)|\n|<b>T</b> &amp; U|\\_x\\_|~~83~~|\n",
			[]string{"Scout | scout | 80", "NIPT | nipt | 81", "a b | c | 82", "T & U | _x_ | 83"}},
		{"names that only look like markup", "|service|subdomain|port|\n|-|-|-|\n|cg (REST)|my_own_app|80|\n|a * b|c-d|81|\n|[x] y|e|82|\n", []string{"cg (REST) | my_own_app | 80", "a * b | c-d | 81", "[x] y | e | 82"}},
		{"no outer pipes", "service | subdomain | port\n--- | --- | ---\na | b | 80\nc | d | 81\n", []string{"a | b | 80", "c | d | 81"}},
		{"alignment", "|service|subdomain|port|\n|:--|:-:|--:|\n|a|b|80|\n", []string{"a | b | 80"}},
		{"indentation", "   |service|subdomain|port|\n  |-|-|-|\n |a|b|80|\n", []string{"a | b | 80"}},
		{"a list item", "1. Ports:\n\n    |service|subdomain|port|\n    |-|-|-|\n    |a|b|80|\n\n   - deeper\n     |service|subdomain|port|\n     |-|-|-|\n     |c|d|81|\n", []string{"a | b | 80", "c | d | 81"}},
		{"columns in another order and with others between", "|PORT|Owner|Sub-Domain|Service|\n|-|-|-|-|\n|80|Ann|b|a|\n", []string{"a | b | 80"}},
		{"every column", "|Name|Subdomain|Port|Domain|Bind address|Unix socket|Env|\n|-|-|-|-|-|-|-|\n|a|b|80|example.se|127.0.0.1||Prod|\n|c|d|—|example.se|||staging|\n|e|f||example.se||/run/e.sock|test|\n",
			[]string{"a | b | 80 | example.se | 127.0.0.1 | production", "c | d | 0 | example.se | stage", "e | f | 0 | example.se | /run/e.sock | test"}},
		{"full names", "|service|server name|port|\n|-|-|-|\n|a|scout.example.se|80|\n|b|a.b.example.co.uk|81|\n|c|scout|82|\n|d|example.org|83|\n",
			[]string{"a | scout | 80 | example.se", "b | a.b | 81 | example.co.uk", "c | scout | 82", "d |  | 83 | example.org"}},
		{"the better of two headers", "|name|host|subdomain|port|service|\n|-|-|-|-|-|\n|x|web1|b|80|a|\n", []string{"a | b | 80"}},
		{"no name column", "|subdomain|port|\n|-|-|\n|b|80|\n", []string{"b | b | 80"}},
		{"no subdomain, on purpose", "|service|subdomain|port|\n|-|-|-|\n|a|—|80|\n|b|-|81|\n", []string{"a |  | 80", "b |  | 81"}},
		{"a header below the last line of a paragraph", "Ports\nin production:\n|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n", []string{"a | b | 80 | production"}},
		{"two tables and one of another kind", "|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n\n|name|host|colour|\n|-|-|-|\n|x|y|red|\n\n|service|subdomain|port|\n|-|-|-|\n|c|d|81|\n", []string{"a | b | 80", "c | d | 81"}},
		{"a table without rows", "|service|subdomain|port|\n|-|-|-|\n", nil},
		{"bytes that are not UTF-8", "\xff\xfe\n\n|service|subdomain|port|\n|-|-|-|\n|\xe9|b|80|\n", []string{"\xe9 | b | 80"}},
		{"what stands below the table", "|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n# next\n|c|d|81|\n", []string{"a | b | 80"}},
		{"a quote below it", "|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n> |c|d|81|\n", []string{"a | b | 80"}},
		{"a list below it", "|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n- |c|d|81|\n", []string{"a | b | 80"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			d, err := ParseMarkdown("s.md", []byte(c.src))
			assert.Equal(t, c.src, string(d.Bytes()))
			assert.Equal(t, c.want, shorts(d))
			if c.what != "every column" { // its dash is no socket
				assert.NoError(t, err)
			}
		})
	}
}

func TestWhatIsNoTableIsLeftAlone(t *testing.T) {
	const table = "|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n"
	for what, src := range map[string]string{
		"fenced code":                 "```\n" + table + "```\n",
		"fenced code, longer":         "````md\n```\n" + table + "```\n" + table + "````\n",
		"fenced code, tildes":         "~~~ text\n```\n" + table + "~~~\n",
		"fenced code to the end":      "```\n\n" + table,
		"indented code":               "text\n\n    |service|subdomain|port|\n    |-|-|-|\n    |a|b|80|\n",
		"code indented by a tab":      "text\n\n\t|service|subdomain|port|\n\t|-|-|-|\n",
		"a comment":                   "<!--\n\n" + table + "\n-->\n",
		"a comment to the end":        "<!-- \n\n" + table,
		"HTML":                        "<div>\n" + table + "</div>\n",
		"preformatted text":           "<pre>\n\n" + table + "\n</pre>\n",
		"a block quote":               "> |service|subdomain|port|\n> |-|-|-|\n> |a|b|80|\n",
		"a delimiter row too short":   "|service|subdomain|port|\n|-|-|\n|a|b|80|\n",
		"a delimiter row too long":    "|service|subdomain|port|\n|-|-|-|-|\n|a|b|80|\n",
		"a delimiter row of nothing":  "|service|subdomain|port|\n| |-|-|\n|a|b|80|\n",
		"a delimiter row of colons":   "|service|subdomain|port|\n|:|:|:|\n|a|b|80|\n",
		"a blank line below the head": "|service|subdomain|port|\n\n|-|-|-|\n|a|b|80|\n",
		"a heading":                   "service subdomain port\n---\na b 80\n",
		"text":                        "service subdomain port\n\na b 80\n",
	} {
		d, err := ParseMarkdown("s.md", []byte(src))
		assert.Equal(t, src, string(d.Bytes()), what)
		assert.Empty(t, d.Map().Services, what)
		require.Error(t, err, what)
		assert.Contains(t, err.Error(), "[no-port-table]", what)

		// The same text, a line of prose and then a table: that one is found.
		if !strings.Contains(what, "to the end") {
			d, err = ParseMarkdown("s.md", []byte(src+"\ntext\n\n"+table))
			assert.NoError(t, err, what)
			assert.Len(t, d.Map().Services, 1, what)
		}
	}
}

// Where a table begins and ends, as measured with cmark-gfm 0.29.0.gfm.6.
func TestTablesBeginAndEndWhereGitHubsDo(t *testing.T) {
	const table = "|subdomain|port|\n|-|-|\n|a|8080|\n"
	for src, want := range map[string]int{
		table:                   1,
		"text\n" + table:        1,
		"- item\n" + table:      0, // outside the item it carries on its paragraph
		"- item\n\n" + table:    1,
		"> quote\n" + table:     0,
		"> # heading\n" + table: 1,
		"- |subdomain|port|\n  |-|-|\n  |a|80|\n": 1,
		"text\n2. text\n" + table:                 1, // only "1." makes a list below text
		"text\n1. text\n" + table:                 0,
		"text\n-\n" + table:                       1, // "-" underlines a heading
		"text\n+\n" + table:                       1, // an empty item below text is text
		"-\n" + table:                             1, // an empty item has no paragraph
		"1. a\n   - b\n\n   text\n\n     |subdomain|port|\n     |-|-|\n     |a|80|\n": 1,
		"1. a\n   - b\n\n         |subdomain|port|\n         |-|-|\n":                 0,
		"-     code\n" + table:               1, // code in the item has no paragraph either
		"<b>\n" + table:                      0,
		"text\n<b>\n" + table:                1,
		"<b>bold</b>\n" + table:              1,
		"<!-- a -->\n" + table:               1,
		"<pre>a</pre>\n" + table:             1,
		"</pre>\n" + table:                   0,
		"<DIV class=x>\n" + table:            0,
		"<DIV class=x>\n\n" + table:          1,
		"# heading\n" + table:                1,
		"#no heading\n" + table:              1,
		"***\n" + table:                      1,
		"``` a`b\n" + table:                  1, // no fence: a backtick behind it
		"- ```\n" + table:                    1, // the fence ends with its item
		"subdomain | port\n- | -\na | 80\n":  0, // a list item comes first
		"subdomain | port\n:- | -\na | 80\n": 1,
		"|subdomain|port\n-|-\n|a|80|\n":     1,
		table + "</pre>\n|b|81|\n":           1,
		table + "|\n|b|81|\n":                1,
		table + "2. b\n|b|81|\n":             1,
		table + "***\n|b|81|\n":              1,
		table + "    |b|81|\n":               1,
		table + "   |b|81|\n":                2,
		table + "===\n":                      2,
		table + "--\n":                       2,
	} {
		d, _ := ParseMarkdown("s.md", []byte(src))
		assert.Len(t, d.Map().Services, want, "%q", src)
	}
}

func TestHeadersAreKnownByTheirUsualNames(t *testing.T) {
	for field, titles := range map[int]string{
		fieldName:        "service, Service Name, web-service, NAME, app, Application, program",
		fieldSubdomain:   "subdomain, Sub-domain, sub domain, subdomain name, server name, server_name, FQDN, virtual host, vhost, host, Hostname, host name",
		fieldPort:        "port, Port, port number, port no, TCP port, **Port**, `port`",
		fieldDomain:      "domain, Domain Name",
		fieldBind:        "bind, bind address, listen, listen address, address",
		fieldSocket:      "socket, unix socket, socket path",
		fieldEnvironment: "environment, env, ENV",
	} {
		for title := range strings.SplitSeq(titles, ", ") {
			got, ok := columnFor(readCell(title, 0, len(title)).text)
			assert.True(t, ok, title)
			assert.Equal(t, field, got.field, title)
		}
	}
	for _, title := range []string{"", "owner", "ports", "service port", "names", "sub", "URL", "pört"} {
		_, ok := columnFor(title)
		assert.False(t, ok, title)
	}
}

func TestEnvironmentIsThatOfTheNearestWord(t *testing.T) {
	const table = "\n\n|service|subdomain|port|\n|-|-|-|\n|a|b|80|\n\n"
	for _, c := range []struct {
		what, src string
		want      []string
	}{
		{"none", table, []string{""}},
		{"a heading", "# Production" + table, []string{Production}},
		{"a heading underlined", "Stage services\n===\n" + table, []string{Stage}},
		{"a sentence", "This is a summary of the setup for production web services:" + table, []string{Production}},
		{"short and long forms", "Prod:" + table + "STAGING." + strings.Replace(table, "|b|", "|c|", 1), []string{Production, Stage}},
		{"markup around the word", "for **stage** services" + table, []string{Stage}},
		{"the second paragraph back", "# Ports\n\nIn production:\n\nAnn hands out ports." + table, []string{Production}},
		{"the nearer of two", "For production.\n\nFor stage." + table, []string{Stage}},
		{"a paragraph over its heading", "# Production\n\nBut these are stage:" + table, []string{Stage}},
		{"both words decide nothing", "# Stage\n\nStage is production minus 1010." + table, []string{Stage}},
		{"both words alone", "Production and stage" + table, []string{""}},
		{"a host name is no word", "see nipt-stage.example.se and pre-production" + table, []string{""}},
		{"a longer word is none", "backstage productions" + table, []string{""}},
		{"a heading ends what a paragraph said", "For stage.\n\n# Others" + table, []string{""}},
		{"a heading below keeps it", "# Stage\n\n## Web" + table, []string{Stage}},
		{"a heading beside ends it", "# Stage\n\n# Web" + table, []string{""}},
		{"a table between", "For stage:" + table + "More:" + strings.Replace(table, "|b|", "|c|", 1), []string{Stage, Stage}},
		{"a word in code is not read", "# Stage\n\n```\nproduction\n```" + table, []string{Stage}},
		{"a word in a table is not read", "# Stage\n\n|x|\n|-|\n|production|" + table, []string{Stage}},
		{"a word in the header is not read", "|service|subdomain|port|production|\n|-|-|-|-|\n|a|b|80|x|\n", []string{""}},
		{"a list item", "- production:" + table, []string{Production}},
		{"a cell is nearer still", "# Stage\n\n|service|subdomain|port|env|\n|-|-|-|-|\n|a|b|80|production|\n|c|d|81||\n", []string{Production, Stage}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var got []string
			for _, s := range parse(t, c.src).Map().Services {
				got = append(got, s.Environment)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEveryFaultIsReportedInItsPlace(t *testing.T) {
	const head = "|service|subdomain|port|\n|-|-|-|\n"
	for _, c := range []struct {
		what, src string
		want      []string
	}{
		{"an empty file", "", []string{"error s.md:1:1: no port table: none of the tables has a column for the subdomain and one for the port [no-port-table]"}},
		{"text alone", "nothing\n", []string{"error s.md:1:1: no port table: none of the tables has a column for the subdomain and one for the port [no-port-table]"}},
		{"no port column", "text\n\n|service|subdomain|\n|-|-|\n|a|b|\n", []string{`error s.md:3:1: the table has no column for the port: name one "port" [column-missing]`}},
		{"no subdomain column", "  |service|port|\n|-|-|\n|a|80|\n", []string{`error s.md:1:3: the table has no column for the subdomain: name one "subdomain" or "server name" [column-missing]`}},
		{"a host column and no port is another table", "|name|host|\n|-|-|\n|a|b|\n\n" + head, nil},
		{"a column twice", "|service|subdomain|Port|port|\n|-|-|-|-|\n|a|b|80|81|\n", []string{`error s.md:1:25: column "port" means what another column means already [column-repeated]`}},
		{"ports that are none", head + "|a|b|x|\n|c|d|70000|\n|e|f|-1|\n|g|h|0|\n|i|j|  |\n|k|l|`no`|\n", []string{
			`error s.md:3:6: port "x" is not a number [port-invalid]`,
			"error s.md:4:6: port 70000 is above 65535 [port-invalid]",
			"error s.md:5:6: port -1 is negative [port-invalid]",
			"error s.md:6:6: port 0 is none to listen on: ports are 1 to 65535 [port-invalid]",
			"error s.md:7:7: the row has no port [port-missing]",
			`error s.md:8:7: port "no" is not a number [port-invalid]`,
		}},
		{"cells that are missing", head + "|a|b|\n|c|\n||d|80|\n", []string{
			"error s.md:3:6: the row has no port [port-missing]",
			"error s.md:4:4: the row has no subdomain [subdomain-missing]",
			"error s.md:4:4: the row has no port [port-missing]",
			"error s.md:5:2: the row has no service name [name-missing]",
		}},
		{"text right below the table is a row, as GitHub shows it", head + "|a|b|80|\nAnd more.\n", []string{
			"error s.md:4:10: the row has no subdomain [subdomain-missing]", "error s.md:4:10: the row has no port [port-missing]",
		}},
		{"no socket", "|service|subdomain|socket|\n|-|-|-|\n|a|b||\n", []string{"error s.md:3:6: the row has no socket [port-missing]"}},
		{"a cell too many", head + "|a|b|80| see Ann | |\n", []string{"warn s.md:3:10: the row has 5 cells, the table 3 columns: the rest is not shown [cells-surplus]"}},
		{"a subdomain twice", head + "|a|b|80|\n|c|**B**|81|\n", []string{`error s.md:4:6: subdomain B is listed twice: here for "c", and for "a" at s.md:3:4 [subdomain-listed-twice]`}},
		{"Windows line ends and a mark", "\ufeff" + strings.ReplaceAll(head+"|a|b|x|\n", "\n", "\r\n"), []string{`error s.md:3:6: port "x" is not a number [port-invalid]`}},
	} {
		t.Run(c.what, func(t *testing.T) {
			d, err := ParseMarkdown("s.md", []byte(c.src))
			assert.Equal(t, c.src, string(d.Bytes()), "the text is kept")
			assert.ElementsMatch(t, c.want, lines(d.Diagnostics()))
			assert.ElementsMatch(t, c.want, lines(d.Check(&CheckOptions{Allow: []Port{80, 81}})), "Check says each once")
			errs := 0
			for _, line := range c.want {
				if strings.HasPrefix(line, "error") {
					errs++
				}
			}
			if errs == 0 {
				assert.NoError(t, err)
				return
			}
			var ds Diagnostics
			require.ErrorAs(t, err, &ds)
			assert.Len(t, ds, len(c.want))
		})
	}
}

func TestRowsWithFaultsStayInTheMap(t *testing.T) {
	d, err := ParseMarkdown("s.md", []byte("|service|subdomain|port|\n|-|-|-|\n|a|b|x|\n|c|d|81|\n|e|\n"))
	require.Error(t, err)
	assert.Equal(t, []string{"a | b | 0", "c | d | 81", "e |  | 0"}, shorts(d))
	got, err := d.Map().NextFree("")
	require.NoError(t, err)
	assert.Equal(t, Port(1024), got, "the next one up that is not privileged")
}

func TestCellTextIsWhatAReaderSees(t *testing.T) {
	for raw, want := range map[string]string{
		"plain":              "plain",
		" \t blanks ":        "blanks",
		"**bold**":           "bold",
		"***both***":         "both",
		"_under_":            "under",
		"__under__":          "under",
		"snake_case_name":    "snake_case_name",
		"_a_b_":              "a_b",
		"2*3*4":              "234", // CommonMark: an asterisk inside a word is emphasis
		"2 * 3":              "2 * 3",
		"*unclosed":          "*unclosed",
		"** spaced **":       "** spaced **",
		"~~gone~~":           "gone",
		"~~~not~~~":          "~~~not~~~",
		"`code`":             "code",
		"`` a`b ``":          "a`b",
		"`**kept**`":         "**kept**",
		"`unclosed":          "`unclosed",
		"``unequal`":         "``unequal`",
		`\*kept\*`:           "*kept*",
		`a\b`:                `a\b`,
		`a \| b`:             "a | b",
		"`a \\| b`":          "a | b",
		`\\|`:                "|", // the pipe first, then the backslash that is left escapes it
		"[text](url)":        "text",
		"[text](url (a) b)":  "text",
		"[text][ref]":        "text",
		"[a [b] c](url)":     "a [b] c",
		"[**bold**](u)":      "bold",
		"**[bold](u)**":      "bold",
		"![alt](pic.png)":    "alt",
		"[![alt](p)](u) x":   "alt x",
		"wow! [a](b)":        "wow! a",
		"[text]":             "[text]",
		"[text](unclosed":    "[text](unclosed",
		"Scout[^1]":          "Scout",
		"cg (REST)":          "cg (REST)",
		"<b>x</b>":           "x",
		"<https://a.se/b>":   "https://a.se/b",
		"a < b > c":          "a < b > c",
		"a &amp; b &lt;":     "a & b <",
		"&nbsp;a&nbsp;":      "a",
		"&unknown; &":        "&unknown; &",
		`\&amp;`:             "&amp;",
		"`&amp;`":            "&amp;",
		"å **ä** ö":          "å ä ö",
		"\xff":               "\xff",
		"":                   "",
		"****":               "****",
		"**`x`** (old)":      "x (old)",
		"*a **b* c**":        "a b c",
		"[a](b)[c](d)":       "ac",
		`[a\](b)`:            "[a](b)",
		"[`]`](u)":           "]",
		"\u3000x\u3000":      "x",
		"&#56;080":           "8080",
		"a\u00a0b":           "a\u00a0b",
		"[NIPT](https://x/)": "NIPT",
	} {
		v := readCell(raw, 0, len(raw))
		assert.Equal(t, want, v.text, "%q", raw)
		assert.LessOrEqual(t, v.start, v.end)
	}
}

func TestCellPlaceIsTheTextInsideItsMarkup(t *testing.T) {
	for raw, want := range map[string]string{
		" `7073` ":         "7073",
		"**7073**":         "7073",
		"[7073](u)":        "7073",
		" 7073\t":          "7073",
		"&nbsp;7073":       "7073",
		"*70*73":           "*70*73", // markup inside: the whole cell
		` a\|b `:           `a\|b`,
		` \| `:             `\|`,
		"[**scout**](u) x": "[**scout**](u) x",
		"   ":              "",
		"&#55;073":         "&#55;073",
	} {
		v := readCell(raw, 0, len(raw))
		assert.Equal(t, want, raw[v.start:v.end], "%q", raw)
	}
	v := readCell("|    |", 1, 5)
	assert.Equal(t, []int{2, 2}, []int{v.start, v.end}, "an empty cell's place is behind one blank")
	v = readCell("||", 1, 1)
	assert.Equal(t, []int{1, 1}, []int{v.start, v.end})
}

func TestHostileMarkupIsReadInGoodTime(t *testing.T) {
	const n = 200_000
	for _, unit := range []string{"[", "]", "](", "[](", "`", "` ``", "*", "*a ", "_a", "<", "<a", "&", "\\", "\\|", "![[", "~", "&a;", "- ", "> ", "<!--", "<div", "|", "|-", "\n|", "1. ", " - a\n", "|-|\n", "#", "[^"} {
		src := "|service|subdomain|port|\n|-|-|-|\n|" + strings.Repeat(unit, n/len(unit)) + "|b|80|\n"
		d, _ := ParseMarkdown("s.md", []byte(src))
		require.Equal(t, src, string(d.Bytes()))
	}
}
