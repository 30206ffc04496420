package nginxconf_test

import (
	"encoding/json"
	"fmt"

	"github.com/onehost-go/onehost/nginxconf"
)

func ExampleFile_MarshalJSON() {
	f, err := nginxconf.Parse("scout.conf", []byte("server_name 'scout.example.se'; # as in DNS\n"))
	if err != nil {
		fmt.Println(err)
	}
	out, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(string(out))
	// Output:
	// {
	//   "name": "scout.conf",
	//   "directives": [
	//     {
	//       "name": "server_name",
	//       "args": [
	//         "scout.example.se"
	//       ],
	//       "raw": [
	//         "server_name",
	//         "'scout.example.se'"
	//       ],
	//       "start": {
	//         "offset": 0,
	//         "line": 1,
	//         "column": 1
	//       },
	//       "end": {
	//         "offset": 31,
	//         "line": 1,
	//         "column": 32
	//       },
	//       "spans": [
	//         [
	//           0,
	//           11
	//         ],
	//         [
	//           12,
	//           30
	//         ]
	//       ],
	//       "comments": [
	//         {
	//           "text": "# as in DNS",
	//           "place": "end",
	//           "start": {
	//             "offset": 32,
	//             "line": 1,
	//             "column": 33
	//           },
	//           "end": {
	//             "offset": 43,
	//             "line": 1,
	//             "column": 44
	//           }
	//         }
	//       ]
	//     }
	//   ]
	// }
}

func ExampleFile_UnmarshalJSON() {
	var f nginxconf.File
	err := json.Unmarshal([]byte(`{
		"directives": [{"name": "server", "block": [
			{"name": "listen", "args": ["80"]},
			{"name": "add_header", "args": ["X-Note", "no; not yet"], "comments": [{"text": "for the web team"}]}
		]}]
	}`), &f)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(f.Bytes()))
	// Output:
	// server {
	//     listen 80;
	//     # for the web team
	//     add_header X-Note "no; not yet";
	// }
}
