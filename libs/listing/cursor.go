package listing

import (
	"encoding/base64"
	"encoding/json"

	"oms.internal/libs/fault"
)

// Cursor is a place between two rows of a list in one ordering. The zero Cursor is the list's beginning.
type Cursor struct {
	// Ordering is that of the walk, tie-breaker included: a place in one ordering is none in another.
	Ordering string `json:"o,omitempty"`
	// Back says that the page is the one before the place.
	Back bool `json:"b,omitempty"`
	// With says that the page includes the row at the place. It is set in the way back from an empty page, which has no other
	// row to start from.
	With bool `json:"w,omitempty"`
	// Keys are the values of the ordering's fields at the place, as texts, nil for NULL; the last one is the id.
	Keys []*string `json:"k,omitempty"`
}

// ErrCursor is the fault for a cursor that cannot be read, in the words of Django REST Framework.
var ErrCursor = fault.New(fault.NotFound, "Invalid cursor", nil)

// maxCursor bounds the text of a cursor: that of three keys of 100 characters, each of up to 4 bytes, escaped.
const maxCursor = 8 << 10

// parseCursor reads what String wrote. The empty text is the beginning of a list.
func parseCursor(text string) (*Cursor, error) {
	cursor := &Cursor{}
	if text == "" {
		return cursor, nil
	}
	encoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > maxCursor {
		return nil, ErrCursor
	}
	if err := json.Unmarshal(encoded, cursor); err != nil || len(cursor.Keys) == 0 {
		return nil, ErrCursor
	}
	return cursor, nil
}

// String returns the cursor as a client shows it again.
func (c Cursor) String() string {
	encoded, _ := json.Marshal(c) // texts and a flag: always possible
	return base64.RawURLEncoding.EncodeToString(encoded)
}
