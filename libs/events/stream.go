package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Stream is the stream of all events but audit events.
	Stream = "OMS_EVENTS"
	// AuditStream is the stream of audit events.
	AuditStream = "OMS_AUDIT"
)

// subjects are those of each stream.
var subjects = map[string]string{Stream: subjectPrefix + ">", AuditStream: auditPrefix + ">"}

// streamOf is the stream that has a subject.
func streamOf(subject string) string {
	if strings.HasPrefix(subject, auditPrefix) {
		return AuditStream
	}
	return Stream
}

const (
	// streamTime is how long events are kept, whether or not they were consumed.
	streamTime = 7 * 24 * time.Hour
	// duplicateWindow is how long the server knows the ids of what was published. What comes again later is for the
	// consumer's inbox to recognise.
	duplicateWindow = 2 * time.Minute
	// apiPatience bounds one request to JetStream.
	apiPatience = 2 * time.Second
)

// MaxReplicas is NATS's limit for the copies of a stream.
const MaxReplicas = 5

// errOtherStream says that the stream exists, but not as it is wanted. A service cannot change it: who may do that may
// also have the server publish its messages anywhere.
var errOtherStream = errors.New("it has other settings")

// ensureStream makes the stream of this name, unless it exists, with so many replicas. Whoever needs a stream makes it: a relay with events for
// it, and its consumers. So none waits for another service, and none for a stream that it does not need.
func ensureStream(ctx context.Context, stream jetstream.JetStream, name string, replicas int) error {
	ctx, cancel := context.WithTimeout(ctx, apiPatience)
	defer cancel()
	_, err := stream.CreateStream(ctx, jetstream.StreamConfig{
		Name:       name,
		Subjects:   []string{subjects[name]},
		Storage:    jetstream.FileStorage,
		MaxAge:     streamTime,
		Duplicates: duplicateWindow,
		Replicas:   max(1, replicas),
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		err = fmt.Errorf("%w; an operator with the right to $JS.API.STREAM.UPDATE.%s may change them (nats stream edit)", errOtherStream, name)
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	return nil
}
