module oms.internal/tools/apilint

go 1.26.0

require (
	github.com/speakeasy-api/openapi v1.25.6
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/kr/text v0.2.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
