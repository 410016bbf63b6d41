package field

import (
	"bytes"
	"encoding/json"
	"strings"
)

// pythonText writes a JSON value that is no text as Python does, since DRF repeats values in its messages: true is True, and
// texts in lists are in single quotes. The value must be valid JSON.
func pythonText(value json.RawMessage) string {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var written strings.Builder
	writePython(decoder, &written)
	return written.String()
}

func writePython(decoder *json.Decoder, written *strings.Builder) {
	token, err := decoder.Token()
	if err != nil {
		return
	}
	switch token := token.(type) {
	case json.Delim:
		written.WriteString(token.String())
		for first := true; decoder.More(); first = false {
			if !first {
				written.WriteString(", ")
			}
			writePython(decoder, written)
			if token == '{' {
				written.WriteString(": ")
				writePython(decoder, written)
			}
		}
		writePython(decoder, written) // the end
	case string:
		written.WriteString("'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(token) + "'")
	case json.Number:
		written.WriteString(token.String())
	case bool:
		written.WriteString(map[bool]string{true: "True", false: "False"}[token])
	case nil:
		written.WriteString("None")
	}
}
