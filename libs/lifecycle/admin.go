package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"oms.internal/libs/version"
)

const probeTimeout = 2 * time.Second

// HeaderProcess is in each answer of an admin port and holds the number of the process, because two may share the port.
const HeaderProcess = "Oms-Process"

// NewMetrics returns a registry with what every process tells of itself, and more.
func NewMetrics(more ...prometheus.Collector) *prometheus.Registry {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	metrics.MustRegister(more...)
	return metrics
}

// buildInfo is 1, with the build in its labels.
func buildInfo() prometheus.Collector {
	build := version.Get()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "build_info", Help: "The build that runs.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Revision, "goversion": build.Go},
	}, func() float64 { return 1 })
}

// Admin returns the part that serves /livez, /readyz and /metrics on listener, and with profiles also /debug/pprof. AddServing adds it, so
// that it answers until the last part has ended.
func (l *Lifecycle) Admin(listener net.Listener, metrics prometheus.Gatherer, profiles bool) Part {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := l.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		if err := l.Healthy(); err != nil {
			answer(w, http.StatusOK, "ready, but degraded\n"+err.Error())
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if profiles {
		// A profile shows the memory and the command line of the process, and to make one costs time. So it is off unless asked for.
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	process := strconv.Itoa(os.Getpid())
	named := http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set(HeaderProcess, process)
		mux.ServeHTTP(w, request)
	})
	server := &http.Server{Handler: named, ReadTimeout: probeTimeout, WriteTimeout: 10 * time.Second}
	return Part{Name: "admin", Run: func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}}
}

// Handing adapts the part that Admin returns to a port that the process shares with its successor. The part stops listening as soon as
// the shutdown begins, so that the successor alone answers whoever asks.
func (l *Lifecycle) Handing(admin Part, listener io.Closer) Part {
	run := admin.Run
	admin.Run = func(ctx context.Context) error {
		ended := make(chan error, 1)
		go func() { ended <- run(ctx) }()
		select {
		case err := <-ended:
			return err
		case <-l.ending:
		}
		_ = listener.Close()
		<-ctx.Done()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
	return admin
}

// Beside says of the two ports of a process whether another process serves there, too.
type Beside struct{ Admin, Requests bool }

// AddServing adds the part that serves requests, after all others, and the part that Admin returned, before all others. Where another
// process serves requests at the same port, this one begins to only once the rest is ready: until then the other process answers,
// and it goes on if this one never gets there. Where it has the admin port, too, this one answers there last of all.
func (l *Lifecycle) AddServing(admin, requests Part, beside Beside) {
	if beside.Requests {
		l.parts = append(l.parts, l.allReady())
	}
	l.parts = append(l.parts, requests)
	if beside.Admin {
		l.parts = append(l.parts, admin)
	} else {
		l.parts = append([]Part{admin}, l.parts...)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// Health probes the admin port that the variable ADMIN_ADDR of an environment names, or else that at otherwise. It reads no
// other setting, so that a health check needs no secrets.
func Health(ctx context.Context, environ []string, otherwise string, out io.Writer) error {
	for _, variable := range environ {
		if value, found := strings.CutPrefix(variable, "ADMIN_ADDR="); found && value != "" {
			return Probe(ctx, value, out)
		}
	}
	return Probe(ctx, otherwise, out)
}

// Probe asks the admin port at addr whether its process is ready and writes what it says of itself to out. It is the health
// check of a container that holds nothing but the binary.
func Probe(ctx context.Context, addr string, out io.Writer) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(out, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
