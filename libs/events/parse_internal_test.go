package events

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzAnyMessageIsAnEventOrAnError(f *testing.F) {
	event, err := New("accounts", "deleted", "7", time.Unix(1_795_000_000, 0), map[string]int{"member_id": 7})
	require.NoError(f, err)
	encoded, err := json.Marshal(event)
	require.NoError(f, err)
	f.Add(encoded)
	f.Add([]byte(`{"specversion": "1.0", "id": 1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := parse(body)
		if err == nil {
			require.Len(t, event.ID, idLength, "as long as its column")
			_ = event.Decode(new(map[string]any))
		}
	})
}
