package events

import (
	"encoding/json"
	"strings"
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
	event.Type = strings.Repeat("x", maxType+1)
	encoded, err = json.Marshal(event)
	require.NoError(f, err)
	f.Add(encoded)
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := parse(body)
		if err == nil {
			require.Len(t, event.ID, idLength, "as long as its column")
			require.LessOrEqual(t, len(event.Type), maxType, "so that each line of the log about it has an end")
			_ = event.Decode(new(map[string]any))
		}
	})
}
