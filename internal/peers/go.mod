module github.com/onehost-go/onehost/internal/peers

go 1.26.0

require (
	github.com/gaissmai/bart v0.30.0
	github.com/nginxinc/nginx-go-crossplane v0.4.89
	github.com/onehost-go/onehost v0.0.0
	github.com/stretchr/testify v1.12.1
	github.com/tufanbarisyildirim/gonginx v0.0.0-20260220081509-8e17ce617db3
	gopkg.in/ini.v1 v1.67.3
)

require (
	github.com/imega/luaformatter v0.0.0-20211025140405-86b0a68d6bef // indirect
	github.com/jstemmer/go-junit-report v1.0.0 // indirect
	github.com/timtadh/data-structures v0.5.3 // indirect
	github.com/timtadh/lexmachine v0.2.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/mod v0.24.0 // indirect
	golang.org/x/sync v0.13.0 // indirect
	golang.org/x/tools v0.32.0 // indirect
)

replace github.com/onehost-go/onehost => ../..
