package lifecycle

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"oms.internal/libs/command"
	"oms.internal/libs/config"
	"oms.internal/libs/requestid"
	"oms.internal/libs/version"
)

// Main runs a command of a process until it ends or the process is asked to end (SIGTERM, SIGINT), and returns the exit
// code (libs/command). The first signal starts the shutdown, a second one ends the process at once.
func Main(run func(ctx context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := run(ctx); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return command.Code(err)
	}
	return 0
}

// NewLogger returns the logger of a process: one JSON object a line, with the service's name and, for work on a
// request, the request's id. Durations are text with a unit, such as "79.7ms".
func NewLogger(out io.Writer, service string, level slog.Level) *slog.Logger {
	handler := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: withUnit})
	return slog.New(requestHandler{handler}).With("service", service) //nolint:sloglint // here the key is set
}

// withUnit makes text of a duration, because a number alone does not say that it counts nanoseconds.
func withUnit(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	}
	return attr
}

// requestHandler adds the request id of the context, so that no call site can forget it.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := requestid.From(ctx); id != "" {
		record.AddAttrs(slog.String("request_id", id)) //nolint:sloglint // here the key is set
	}
	return h.Handler.Handle(ctx, record)
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}

// LogStart logs which build starts with which configuration, secrets masked.
func LogStart(ctx context.Context, log *slog.Logger, configuration any) {
	build := version.Get()
	log.LogAttrs(ctx, slog.LevelInfo, "starting", append([]slog.Attr{
		slog.String("version", build.Version), slog.String("revision", build.Revision), slog.String("go", build.Go),
	}, config.Describe(configuration)...)...)
}

// LimitMemory has the garbage collector work harder before the process takes more than so many bytes. GOMEMLIMIT counts
// instead where it is set.
func LimitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}
