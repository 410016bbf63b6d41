package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
)

func TestAnEventIsACloudEvent(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 21, 0, 0, 123456000, time.FixedZone("KST", 9*60*60))
	event, err := events.New("orders", "created", "17", at, map[string]any{"id": 17})
	require.NoError(t, err)
	require.Len(t, event.ID, 26)
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"specversion": "1.0", "id": "`+event.ID+`", "source": "/oms/orders", "type": "oms.orders.created.v1", "subject": "17",
		"time": "2026-11-23T12:00:00.123456Z", "datacontenttype": "application/json", "data": {"id": 17}
	}`, string(encoded))
	var data struct{ ID int }
	require.NoError(t, event.Decode(&data))
	require.Equal(t, 17, data.ID)
	require.ErrorContains(t, event.Decode(new(string)), event.ID)
}

func TestSubjectsFollowTheService(t *testing.T) {
	t.Parallel()
	require.Equal(t, "oms.events.accounts.deleted.v1", events.SubjectOf("accounts", "deleted"))
}

func TestDataThatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	_, err := events.New("orders", "created", "17", time.Now(), func() {})
	require.Error(t, err)
}

func TestAnAuditEventIsACloudEventWithoutASubject(t *testing.T) {
	t.Parallel()
	event, err := events.NewAudit("orders", time.Unix(1_795_000_000, 0), map[string]any{"actor": 9})
	require.NoError(t, err)
	encoded, err := json.Marshal(event)
	require.NoError(t, err)
	require.JSONEq(t, `{
		"specversion": "1.0", "id": "`+event.ID+`", "source": "/oms/orders", "type": "oms.audit.orders.v1",
		"time": "2026-11-18T11:06:40Z", "datacontenttype": "application/json", "data": {"actor": 9}
	}`, string(encoded))
}
