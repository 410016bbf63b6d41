// Package gateway holds the description of the API that the gateway serves. It imports nothing, so that whoever needs the description
// reads the same bytes: the gateway's pages, tests of the running system, and what is generated from it.
package gateway

import _ "embed"

// Description is the API in the words of OpenAPI 3.1, as YAML. It must not be changed.
//
//go:embed openapi.yaml
var Description []byte
