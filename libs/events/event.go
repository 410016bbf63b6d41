// Package events tells other services what happened, once in effect, whatever fails in between.
//
// Append writes an event into the table outbox, in the transaction of what it tells. A Relay publishes it to the stream
// OMS_EVENTS of JetStream, or audit events to OMS_AUDIT; it may do so more than once, under the same id. A Consumer hands each event to a function
// together with a transaction that also notes the event in the table inbox, and so has it take effect once.
//
// Events are CloudEvents 1.0 in structured JSON mode. They may arrive in another order than they happened in.
package events

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"oms.internal/libs/mysqlx"
)

const (
	specVersion = "1.0"
	jsonContent = "application/json"
	// contentType is what the content-type header of a NATS message with an event in structured JSON mode says.
	contentType = "application/cloudevents+json"
)

// Event is a CloudEvent. Its data has the type that the contracts of the service give for its kind.
type Event struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

// New returns an event with a new id. The service and the kind name its type; subject is the id of what it is about.
func New(service, kind, subject string, at time.Time, data any) (Event, error) {
	return newEvent(service, typeOf(service, kind), subject, at, data)
}

// NewAudit returns an audit event of a service with a new id. It goes to AuditStream, because it says what a
// person did and from where, and whoever reads the events of a service is not to get that. It has no subject: its data says who did what to whom.
func NewAudit(service string, at time.Time, data any) (Event, error) {
	return newEvent(service, AuditSubjectOf(service), "", at, data)
}

func newEvent(service, eventType, subject string, at time.Time, data any) (Event, error) {
	encoded, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", eventType, err)
	}
	return Event{
		SpecVersion:     specVersion,
		ID:              rand.Text(),
		Source:          "/oms/" + service,
		Type:            eventType,
		Subject:         subject,
		Time:            at.UTC(),
		DataContentType: jsonContent,
		Data:            encoded,
	}, nil
}

const (
	typePrefix    = "oms."
	subjectPrefix = "oms.events."
	auditPrefix   = "oms.audit."
	idLength      = 26  // of rand.Text, and of the columns
	maxType       = 100 // as the column of the subject
)

func typeOf(service, kind string) string { return typePrefix + service + "." + kind + ".v1" }

// SubjectOf is the subject of NATS on which a service publishes its events of one kind.
func SubjectOf(service, kind string) string { return natsSubject(typeOf(service, kind)) }

// AuditSubjectOf is the subject of NATS on which a service publishes its audit events, and their type.
func AuditSubjectOf(service string) string { return auditPrefix + service + ".v1" }

func natsSubject(eventType string) string {
	if strings.HasPrefix(eventType, auditPrefix) {
		return eventType
	}
	return subjectPrefix + strings.TrimPrefix(eventType, typePrefix)
}

// Decode reads the event's data. Members that into does not have are ignored, since events only gain members.
func (e Event) Decode(into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("data of event %s (%s): %w", e.ID, e.Type, err)
	}
	return nil
}

// parse reads an event from a message.
func parse(body []byte) (Event, error) {
	var event Event
	if err := json.Unmarshal(body, &event); err != nil {
		return Event{}, err
	}
	if event.SpecVersion != specVersion || len(event.ID) != idLength || event.Type == "" || len(event.Type) > maxType {
		return Event{}, errors.New("not an event of this system")
	}
	return event, nil
}

// Database is where the tables are: a *mysqlx.Cluster, but in tests.
type Database interface {
	Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error
	Poll(ctx context.Context, read func(context.Context, mysqlx.Reader) error) error
	Written() <-chan struct{}
}
