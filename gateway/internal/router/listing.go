package router

import (
	"encoding/json"
	"io"
)

// row is one method of one route, as the listing shows it.
type row struct {
	Method  string `json:"method"`
	Pattern string `json:"pattern"`
	Service string `json:"service"`
	Access  Access `json:"access"`
}

// List writes the table as a JSON array with one object for each method of each route, so that tests outside of this
// module can try every one. HEAD and OPTIONS, which follow from the others, are not listed.
func List(out io.Writer, table []Route) error {
	rows := []row{}
	for _, route := range table {
		for _, method := range route.Methods {
			rows = append(rows, row{method, route.Pattern, route.Service, route.Access})
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}
